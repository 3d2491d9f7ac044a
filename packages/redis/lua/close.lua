-- closed_reply(kind, ceiling, charge, shortfall): how a reservation ended
-- reply: settled ceiling charge shortfall late? balance reserved
-- reply: released ceiling charge shortfall late? balance reserved
local function closed_reply(kind, ceiling, charge, shortfall)
  local late = kind == 'l' and '1' or '0'
  if kind == 'r' then
    return 'released ' .. ceiling .. ' ' .. charge .. ' ' .. shortfall .. ' ' .. late .. ' ' .. balance .. ' ' .. reserved
  end
  return 'settled ' .. ceiling .. ' ' .. charge .. ' ' .. shortfall .. ' ' .. late .. ' ' .. balance .. ' ' .. reserved
end

-- close(id, kind, ceiling, charge, shortfall): remembers for CLOSED_KEPT_MS how it ended, and returns that
local function close(id, kind, ceiling, charge, shortfall)
  sweep_by(now + CLOSED_KEPT_MS)
  -- A lot that what was held of has come back to ends again, should the clock have been put back.
  local next_end = lots_text ~= '' and lots.next_end() or 0
  if next_end > 0 then sweep_by(next_end) end
  put(id, kind .. NOW .. ' ' .. ceiling .. ' ' .. charge .. ' ' .. shortfall)
  return kind, ceiling, charge, shortfall
end
