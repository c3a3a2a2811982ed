-- wrk: asks for a room that was never asked for before, with each request. The round's name comes in
-- as BENCH_ROUND, the thread's by setup().
local threads = 0
local number = 0

function setup(thread)
  thread:set("name", os.getenv("BENCH_ROUND") .. "-" .. threads)
  threads = threads + 1
end

function request()
  number = number + 1
  return wrk.format("POST", "/v2/room_server", nil,
    '{"room":"' .. name .. "-" .. number .. '","geo":{"country_code":"IL"}}')
end
