-- progress: what an operation has come to, where that is not '', and that it goes on, where ttlMs is not 0
-- KEYS: operation call
-- ARGV: progress ttlMs key
--   replies as operation.lua
commands.progress = function()
  local name, progress, ttl = key('operation'), text('progress'), number('ttlMs')
  local call_name = text('key') ~= '' and key('call') or nil
  local its = operation_under(name)
  if not its or status_of(its) ~= 'pending' then return operation_reply(name, its) end

  if ttl ~= 0 then
    prolong(its.reservation, now + ttl)
    its.kept_until = format('%d', max(its.kept_until, now + ttl + RECORD_KEPT_MS))
  end
  if progress ~= '' then its.progress = progress end
  if call_name then records.keep_longer(call_name, its.reservation, its.kept_until) end
  put_operation(name, its)
  return operation_reply(name, its)
end
