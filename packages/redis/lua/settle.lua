-- settle: ends a reservation with what the call cost; one that has expired is charged from what is available
-- KEYS: call
-- ARGV: ceiling charge product firstSentAt details budgets key payload response
-- reply: unknown now balance reserved
--   otherwise as close.lua

-- What can be taken of what is owed, and what can't.
local function take_late(owed)
  local taken = min(owed, available())
  return format('%d', taken), format('%d', owed - taken)
end

-- forgotten_by(): until when what is over may have been forgotten. Not the clock alone: it stays so when that is put back.
local function forgotten_by()
  return max(now, rarely.own(':sweptAt') or 0)
end

-- settle(id, ceiling, charge, product, details, scopes, first_sent_at, name, payload, response): how it ended, or nil where that may have been
-- forgotten since it was sent first, if that is told; `scopes` are the budgets that a late charge counts in, `name` is that of its call's
-- record, or nil
local function settle(id, ceiling, charge, product, details, scopes, first_sent_at, name, payload, response)
  local kind, _, held, taken, fourth, windows = find(id)
  if kind and kind ~= 'o' then return kind, held, taken, fourth end
  if not kind and first_sent_at and first_sent_at + CLOSED_KEPT_MS <= forgotten_by() then return nil end

  if kind then ceiling = held end
  local owed = charge + 0 < ceiling + 0 and charge or ceiling
  local shortfall, spent
  if kind then taken, shortfall = owed, '0' else taken, shortfall = take_late(owed + 0) end
  if lots_text ~= '' then spent = lots.shares_of(taken + 0, kind and held, fourth) end
  if kind then unhold(held, fourth, windows, taken)
  elseif scopes ~= '' then plan.spend_late(scopes, taken + 0) end
  if owed ~= '0' then post('charge', taken == '0' and '0' or '-' .. taken, shortfall, id, product, NOW, spent and lots.spend(spent), details) end
  if spent then lots.expire(now, NOW) end
  count_usage(product, taken)
  if name then records.keep_call(name, id, payload, '1', ceiling, taken, response) end
  return close(id, kind and 's' or 'l', ceiling, taken, shortfall)
end

commands.settle = function(id)
  local ceiling, charge, product, first_sent_at, details, scopes = text('ceiling'), text('charge'), text('product'), number('firstSentAt'), text('details'), text('budgets')
  local name, payload, response
  if text('key') ~= '' then name, payload, response = key('call'), text('payload'), text('response') end
  local kind, held, taken, shortfall = settle(id, ceiling, charge, product, details, scopes, first_sent_at, name, payload, response)
  if not kind then return 'unknown ' .. format('%d', forgotten_by()) .. ' ' .. balance .. ' ' .. reserved end
  return closed_reply(kind, held, taken, shortfall)
end
