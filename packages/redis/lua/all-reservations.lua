-- What looks at every reservation of the account, to sweep them or to say when credits are free again.
local OPEN, COLON = string.byte('o:', 1, 2)

-- read_all(): reads all that are not at hand
local function read_all()
  if complete then return end
  complete = true
  local fields = call('HGETALL', account_key)
  for i = 1, #fields, 2 do
    if string.byte(fields[i]) ~= COLON and reservations[fields[i]] == nil then reservations[fields[i]] = fields[i + 1] end
  end
end

-- over_at(value): when a reservation is over, what it holds until then, and which shares of lots
local function over_at(value)
  if string.byte(value) ~= OPEN then return match(value, '%d+') + CLOSED_KEPT_MS end
  local since, ceiling, lasts, shares = match(value, '(%d+) (%d+) (%d+) ?(%S*)')
  return since + lasts, ceiling + 0, shares
end
