-- wrk: asks for 500 known rooms in turn.
local number = 0

function request()
  number = number + 1
  return wrk.format("POST", "/v2/room_server", nil,
    '{"room":"' .. (2000 + number % 500) .. '","geo":{"country_code":"IL"}}')
end
