-- reserve: sets `ceiling` aside, or says that the account can't cover it or that the call was made before
-- KEYS: call
-- ARGV: ceiling allowance ttlMs terms key payload
--   of the terms `every:rollover|budgets`, the budgets as budgets.lua takes them, or nothing
-- reply: reserved reservedAt expiresAt balance reserved
-- reply: insufficient required now freesAt balance reserved
-- reply: conflict balance reserved
--   or as keyed-call.lua

-- The first billable call grants the allowance, on top of whatever was granted before and as far as it can be counted.
local function provision(allowance)
  if provisioned == '1' then return end
  provisioned = '1'
  change(':provisioned', '1')
  local amount = min(allowance + 0, MAX_AMOUNT - balance)
  if amount > 0 then lots.add('allowance', format('%d', amount), DEFAULT_PRIORITY, 0, 'allowance', 'allowance', now) end
end

local function reserved_reply(since, expires_at)
  return 'reserved ' .. since .. ' ' .. format('%d', expires_at) .. ' ' .. balance .. ' ' .. reserved
end

commands.reserve = function(id)
  local ceiling, allowance, ttl, terms = text('ceiling'), text('allowance'), text('ttlMs'), text('terms')
  local name, payload
  if text('key') ~= '' then name, payload = key('call'), text('payload') end
  local kind, since, held, lasts = find(id)
  if kind == 'o' and held == ceiling then return reserved_reply(since, since + lasts) end
  if kind then return 'conflict ' .. balance .. ' ' .. reserved end
  if name then
    local earlier, response = records.earlier_call(name, payload)
    if earlier then return earlier, response end
  end
  local recurrence, limits = '', ''
  if terms ~= '' then recurrence, limits = match(terms, '^([^|]*)|(.*)$') end
  if recurrence == '' then provision(allowance) else plan.recur(allowance + 0, recurrence) end
  if available() < ceiling + 0 then
    return 'insufficient ' .. ceiling .. ' ' .. NOW .. ' ' .. format('%d', rarely.frees_at(ceiling + 0)) .. ' ' .. balance .. ' ' .. reserved
  end

  local expires_at = now + ttl
  local over = limits ~= '' and plan.over_budget(limits, ceiling + 0)
  if over then return over end
  local windows = limits == '' and '' or plan.hold(limits, ceiling + 0)
  local shares = lots_text == '' and '' or lots.hold(ceiling + 0)
  hold(ceiling)
  sweep_by(expires_at)
  put(id, open_field(NOW, ceiling, ttl, shares, windows))
  if name then records.put_call(name, id, payload, '0', ceiling, '0', '') end
  return reserved_reply(NOW, expires_at)
end
