-- earliest(a, b): the earlier of two times, where 0 stands for none
local function earliest(a, b)
  if a == 0 then return b end
  return b ~= 0 and b < a and b or a
end

-- rarely.sweep(): lets expired reservations go and forgets those closed long ago
function rarely.sweep()
  flush() -- or a field would be deleted first and written then
  read_all()
  local kept, freed, next_expiry = false, 0, 0
  for id, value in pairs(reservations) do
    if value then
      local time, held = over_at(value)
      if time <= now then
        forget(id)
        reservations[id] = false
        freed = freed + (held or 0)
      else
        kept = true
        if held then next_expiry = earliest(next_expiry, time) end
      end
    end
  end
  if freed > 0 then hold(-freed) end
  deadlines = nil
  sweep_at = kept and format('%d', earliest(next_expiry, now + CLOSED_KEPT_MS)) or '0'
  change(':sweepAt', sweep_at)
end
