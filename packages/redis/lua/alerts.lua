-- The field :alerts has ` key=level:armed:by:toldAt:number` for each threshold that was watched, see core's alerts.ts; :topped the balance after
-- the last grant.

-- alerts.read(): by key
function alerts.read()
  local known = {}
  for name, level, armed, by, told_at, count in string.gmatch(rarely.own(':alerts') or '', ' (%S-)=(%d+):(%d):(%S*):(%d+):(%d+)') do
    known[name] = { level = level + 0, armed = armed == '1', by = by, told_at = told_at + 0, number = count + 0 }
  end
  return known
end

-- alerts.put(known): notes that they changed, if they did
function alerts.put(known)
  local texts = {}
  for name, alert in pairs(known) do
    texts[#texts + 1] = ' ' .. name .. format('=%d:%d:', alert.level, alert.armed and 1 or 0) .. alert.by .. format(':%d:%d', alert.told_at, alert.number)
  end
  table.sort(texts)
  local value = table.concat(texts)
  if value ~= (rarely.own(':alerts') or '') then rarely.put_own(':alerts', value) end
end

-- alerts.rearm(): a grant tells the thresholds anew that it lifts the balance well above, and those of what is used
function alerts.rearm()
  rarely.put_own(':topped', balance)
  if not rarely.own(':alerts') then return end
  local known = alerts.read()
  for name, alert in pairs(known) do
    if string.sub(name, 1, 5) == 'used_' or balance + 0 >= alert.level + math.floor(alert.level / 10) then alert.armed = true end
  end
  alerts.put(known)
end
