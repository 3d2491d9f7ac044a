-- unhold(ceiling, shares): gives back what a reservation holds
local function unhold(ceiling, shares)
  hold(-ceiling)
  change_lots('held', shares, -1)
end

-- sweep(): lets expired reservations go, forgets those closed long ago and takes away credits that have ended
local function sweep()
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
  expire()
  sweep_at = format('%d', earliest(kept and earliest(next_expiry, now + CLOSED_KEPT_MS) or 0, next_end()))
  change(':sweepAt', sweep_at)
end

-- read_deadlines(): looks at every reservation, once for as long as none changes
local function read_deadlines()
  if deadlines then return end
  read_all()
  deadlines, held_until = {}, {}
  for _, value in pairs(reservations) do
    if value and string.byte(value) == OPEN then
      local time, held = over_at(value)
      if not held_until[time] then deadlines[#deadlines + 1] = time end
      held_until[time] = (held_until[time] or 0) + held
    end
  end
  table.sort(deadlines)
end

-- frees_at(required): when enough reservations will have expired for it; 0 when all of them are not enough
local function frees_at(required)
  if required > balance + 0 then return 0 end
  read_deadlines()
  local free = balance - reserved
  for _, time in ipairs(deadlines) do
    free = free + held_until[time]
    if free >= required then return time end
  end
  return 0
end
