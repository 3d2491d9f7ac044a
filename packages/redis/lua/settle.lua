-- settle: ends a reservation with what the call cost; one that has expired is charged from what is available
-- KEYS: journal
-- ARGV: ceiling charge product firstSentAt
-- reply: unknown now balance reserved
--   otherwise as close.lua

-- What can be taken of what is owed, and what can't.
local function take_late(owed)
  local taken = min(owed, available())
  return format('%d', taken), format('%d', owed - taken)
end

commands.settle = function(id)
  journal_key = key('journal')
  local ceiling, charge, product, first_sent_at = text('ceiling'), text('charge'), text('product'), number('firstSentAt')
  local kind, _, held, taken, shortfall = find(id)
  if kind and kind ~= 'o' then return closed_reply(kind, held, taken, shortfall) end
  if not kind and now - first_sent_at >= CLOSED_KEPT_MS then return 'unknown ' .. NOW .. ' ' .. balance .. ' ' .. reserved end

  if kind then
    ceiling = held
    hold(-ceiling)
  end
  local owed = charge + 0 < ceiling + 0 and charge or ceiling
  if kind then taken, shortfall = owed, '0' else taken, shortfall = take_late(owed + 0) end
  if owed ~= '0' then post('charge', taken == '0' and '0' or '-' .. taken, shortfall, id, product) end
  count_usage(product, taken)
  return close(id, kind and 's' or 'l', ceiling, taken, shortfall)
end
