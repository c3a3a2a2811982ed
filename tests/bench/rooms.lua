-- wrk: asks for known rooms in turn, BENCH_ROOMS of them (500 by default), or, where BENCH_ROUND gives
-- the round a name, for a room that was never asked for before with each request. Prints JSON, in µs.
local rooms = tonumber(os.getenv("BENCH_ROOMS") or "500")
local round = os.getenv("BENCH_ROUND")
local number = 0

function request()
  number = number + 1
  -- The stride is prime: all rooms, and neighbours never one after the other.
  local room = round and (round .. "-" .. number) or (2000 + number * 7919 % rooms)
  return wrk.format("POST", "/v2/room_server", nil,
    '{"room":"' .. room .. '","geo":{"country_code":"IL"}}')
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\n{"done":%d,"us":%d,"bad":%d,"p50":%.3f,"p99":%.3f,"p999":%.3f}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
