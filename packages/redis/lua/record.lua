-- What has a key of its own: the call under an idempotency key, an operation. Such a record begins with the time when
-- it is forgotten. It is read once a batch and written with the account.
local records, unwritten, unwritten_count = {}, {}, 0

-- record(name): its text, or nil when there is none, or none any more
local function record(name)
  local value = records[name]
  if value == nil then
    value = call('GET', name)
    records[name] = value
  end
  if not value or match(value, '^%d+') + 0 <= now then return nil end
  return value
end

-- put_record(name, value): has `flush` write it; false deletes it
local function put_record(name, value)
  records[name] = value
  unwritten_count = unwritten_count + 1
  unwritten[unwritten_count] = name
end

-- write_records(): nothing here can fail: their keys were read, so they hold texts
local function write_records()
  for i = 1, unwritten_count do
    local name = unwritten[i]
    local value = records[name]
    if value then call('SET', name, value, 'PX', lasting(match(value, '^%d+'))) else call('DEL', name) end
  end
  unwritten_count = 0
end
