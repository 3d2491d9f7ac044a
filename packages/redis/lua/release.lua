-- release: ends a reservation at zero; an id that was never reserved is closed too
-- KEYS:
-- ARGV:
--   replies as close.lua
commands.release = function(id)
  local kind, _, ceiling, charge, shortfall = find(id)
  if kind and kind ~= 'o' then return closed_reply(kind, ceiling, charge, shortfall) end
  if kind then hold(-ceiling) end
  return close(id, 'r', ceiling or '0', '0', '0')
end
