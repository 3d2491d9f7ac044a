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

-- rarely.frees_at(required): when enough reservations will have expired for it; 0 when all of them are not enough
function rarely.frees_at(required)
  if required > balance + 0 then return 0 end
  read_deadlines()
  local free = balance - reserved
  for _, time in ipairs(deadlines) do
    free = free + held_until[time]
    if free >= required then return time end
  end
  return 0
end
