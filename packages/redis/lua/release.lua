-- release: ends a reservation at zero; an id that was never reserved is closed too
-- KEYS: call
-- ARGV: key
--   replies as close.lua

-- release(id, name): how it ended; `name` is that of its call's record, or nil
local function release(id, name)
  local kind, _, ceiling, charge, fourth, windows = find(id)
  if kind and kind ~= 'o' then return kind, ceiling, charge, fourth end
  if kind then
    unhold(ceiling, fourth, windows, 0)
    if lots_text ~= '' then lots.expire(now, NOW) end
  end
  if name then records.free_call(name, id) end
  return close(id, 'r', ceiling or '0', '0', '0')
end

commands.release = function(id)
  local name = text('key') ~= '' and key('call') or nil
  return closed_reply(release(id, name))
end
