-- A script of its own: writes what an account's figures must be, unless it has changed since it was read.
-- KEYS: account journal grants refunds
-- ARGV: entries fields field was writes name value
--   how long the journal was; all fields of the account, as they were; then for the account, its grants and its refunds what is written, each
--   with its count before it
-- reply: changed
-- reply: repaired
local account = key('account')
if call('LLEN', key('journal')) ~= number('entries') then return 'changed\n' end
local fields, is = call('HGETALL', account), {}
for i = 1, #fields, 2 do is[fields[i]] = fields[i + 1] end
local count = number('fields')
if #fields ~= 2 * count then return 'changed\n' end
for _ = 1, count do
  if is[text('field')] ~= text('was') then return 'changed\n' end
end
for _, hash in ipairs({ account, key('grants'), key('refunds') }) do
  for _ = 1, number('writes') do call('HSET', hash, text('name'), text('value')) end
end
return 'repaired\n'
