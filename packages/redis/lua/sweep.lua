-- earliest(a, b): the earlier of two times, where 0 stands for none
local function earliest(a, b)
  if a == 0 then return b end
  return b ~= 0 and b < a and b or a
end

-- rarely.sweep(): lets expired reservations go, forgets those closed long ago and takes away credits that have ended
function rarely.sweep()
  flush() -- or a field would be deleted first and written then
  read_all()
  local kept, next_expiry, freed, shares_freed = false, 0, 0, {}
  for id, value in pairs(reservations) do
    if value then
      local time, held, shares = over_at(value)
      if time <= now then
        forget(id)
        reservations[id] = false
        if held then
          freed = freed + held
          if shares ~= '' then shares_freed[#shares_freed + 1] = shares end
        end
      else
        kept = true
        if held then next_expiry = earliest(next_expiry, time) end
      end
    end
  end
  -- At once: `flush` unpacks what changed, and there may be thousands.
  if freed > 0 then unhold(freed, table.concat(shares_freed, ',')) end
  deadlines = nil
  if lots_text ~= '' then lots.expire() end
  sweep_at = format('%d', earliest(kept and earliest(next_expiry, now + CLOSED_KEPT_MS) or 0, lots_text == '' and 0 or lots.next_end()))
  change(':sweepAt', sweep_at)
end
