-- rarely.usage_days(): the days that have usage and are in the window, and the fields of those that are not any more
function rarely.usage_days()
  local days, old = {}, {}
  for day in string.gmatch(call('HGET', account_key, ':days') or '', '%d+') do
    if day + USAGE_DAYS > today then days[#days + 1] = day else old[#old + 1] = ':u' .. day end
  end
  return days, old
end

-- rarely.open_day(): notes that today has usage, and drops the days that fell out of the window
function rarely.open_day()
  local days, old = rarely.usage_days()
  if not usage then
    usage = ''
    days[#days + 1] = TODAY
  end
  for _, field in ipairs(old) do rarely.forget(field) end
  usage_day = TODAY
  change(':days', table.concat(days, ' '))
  change(':usageDay', TODAY)
end
