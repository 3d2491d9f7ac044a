-- What looks at every reservation of the account, to sweep them or to say when credits are free again.
local OPEN, COLON = string.byte('o:', 1, 2)

-- read_all(): reads all that are not at hand, and the fields of the account's own
local function read_all()
  if complete then return end
  complete, own_fields = true, own_fields or {}
  local fields = call('HGETALL', account_key)
  for i = 1, #fields, 2 do
    local known = string.byte(fields[i]) == COLON and own_fields or reservations
    if known[fields[i]] == nil then known[fields[i]] = fields[i + 1] end
    if string.sub(fields[i], 1, 2) == ':w' then has_windows = true end
  end
end

-- over_at(value): when a reservation is over, what it holds until then, which shares of lots, and in which windows
local function over_at(value)
  if string.byte(value) ~= OPEN then return match(value, '%d+') + CLOSED_KEPT_MS end
  local since, ceiling, lasts, shares, windows = match(value, '(%d+) (%d+) (%d+) ?(%S*) ?(%S*)')
  return since + lasts, ceiling + 0, shares, windows
end
