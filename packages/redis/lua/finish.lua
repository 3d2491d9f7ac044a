-- finish: ends an operation, and its reservation with it; the first end is the one that counts
-- KEYS: operation call
-- ARGV: succeeded charge details budgets result key
--   replies as operation.lua

-- succeed(its, charge, details, scopes, call_name): settles it; its call's key, if it still is its own, answers on as it did
local function succeed(its, charge, details, scopes, call_name)
  local known = call_name and records.call(call_name)
  if not known or known.reservation ~= its.reservation then return settle(its.reservation, its.ceiling, charge, its.product, details, scopes) end
  return settle(its.reservation, its.ceiling, charge, its.product, details, scopes, nil, call_name, known.payload)
end

commands.finish = function()
  local name, succeeded, charge, details = key('operation'), text('succeeded') == '1', text('charge'), text('details')
  local scopes, result = text('budgets'), text('result')
  local call_name = text('key') ~= '' and key('call') or nil
  local its = operation_under(name)
  if not its or its.status ~= 'p' then return operation_reply(name, its) end

  local kind, _
  if succeeded then kind, _, its.charge, its.shortfall = succeed(its, charge, details, scopes, call_name)
  else kind, _, its.charge, its.shortfall = release(its.reservation, call_name) end
  its.status, its.late = succeeded and 's' or 'f', kind == 'l' and '1' or '0'
  its.finished_at, its.kept_until = NOW, format('%d', now + RECORD_KEPT_MS)
  put_operation(name, its, result)
  return operation_reply(name, its)
end
