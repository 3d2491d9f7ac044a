-- hold: makes a call's reservation that of an operation
-- KEYS: operation call
-- ARGV: ceiling product ttlMs key payload response
-- reply: operation_conflict balance reserved
--   otherwise as operation.lua
commands.hold = function(id)
  local name, ceiling, product, ttl = key('operation'), text('ceiling'), text('product'), number('ttlMs')
  local call_name, payload, response
  if text('key') ~= '' then call_name, payload, response = key('call'), text('payload'), text('response') end
  local known = operation_under(name)
  if known and known.reservation ~= id then return 'operation_conflict ' .. balance .. ' ' .. reserved end
  if known then return operation_reply(name, known) end

  local expires_at = now + ttl
  local _, reserved_at = prolong(id, expires_at)
  if call_name then records.keep_call(call_name, id, payload, '0', ceiling, '0', response, expires_at) end
  local its = {
    reservation = id, product = product, status = 'p', ceiling = ceiling, charge = '0', shortfall = '0', late = '0',
    started_at = reserved_at or NOW, finished_at = '0', progress = '',
    kept_until = format('%d', expires_at + RECORD_KEPT_MS),
  }
  put_operation(name, its, '')
  return operation_reply(name, its)
end
