-- A day's usage is one field: ` product=calls:charged` for each product, and `:refunded` where there was a refund,
-- percent-encoded, so that none of these signs is part of a name.

-- count_usage(product, charge): counts a settled call
local function count_usage(product, charge)
  if usage_day ~= TODAY or not usage then rarely.open_day() end
  local name = ' ' .. product .. '='
  local _, at = string.find(usage, name, 1, true)
  if at then
    local calls, charged, rest = match(usage, '^(%d+):(%d+)(.*)', at + 1)
    usage = string.sub(usage, 1, at) .. format('%d:%d', calls + 1, charged + charge) .. rest
  else
    usage = usage .. name .. '1:' .. charge
  end
  change(USAGE_TODAY, usage)
end
