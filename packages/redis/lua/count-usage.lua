-- A day's usage is one field: ` product=calls:charged` for each product, and `:refunded` where there was a refund,
-- percent-encoded, so that none of these signs is part of a name.

-- used(calls, charged, refunded): as it is written
local function used(calls, charged, refunded)
  if refunded == 0 then return format('%d:%d', calls, charged) end
  return format('%d:%d:%d', calls, charged, refunded)
end

-- count(product, calls, charge, refund): adds to what a product was used today
local function count(product, calls, charge, refund)
  if usage_day ~= TODAY or not usage then rarely.open_day() end
  local name = ' ' .. product .. '='
  local _, at = string.find(usage, name, 1, true)
  if at then
    local called, charged, refunded, rest = match(usage, '^(%d+):(%d+):?(%d*)(.*)', at + 1)
    usage = string.sub(usage, 1, at) .. used(called + calls, charged + charge, (refunded == '' and 0 or refunded) + refund) .. rest
  else
    usage = usage .. name .. used(calls, charge + 0, refund)
  end
  change(USAGE_TODAY, usage)
end

-- count_usage(product, charge): counts a settled call
local function count_usage(product, charge)
  count(product, 1, charge, 0)
end
