-- What has a key of its own: the call under an idempotency key, an operation. Such a record is a hash: `record`, which
-- begins with the time when it is forgotten, and `text`, which may be long. Lua pays for each byte of a text each time
-- it gets hold of it, so it is read when it is asked for and written as it came. Both are written with the account.

-- records.read(name): its short part, or nil when there is none, or none any more
function records.read(name)
  local value = record_lines[name]
  if value == nil then
    value = call('HGET', name, 'record')
    record_lines[name] = value
  end
  if not value or match(value, '^%d+') + 0 <= now then return nil end
  return value
end

-- records.text(name): its long part
function records.text(name)
  return record_texts[name] or call('HGET', name, 'text')
end

-- records.put(name, value, long): has `flush` write it; without a long part it keeps its own
function records.put(name, value, long)
  record_lines[name], record_texts[name] = value, long or record_texts[name]
  unwritten_count = unwritten_count + 1
  unwritten[unwritten_count] = name
end

-- write_record(name): it can't fail, because its key was read
local function write_record(name)
  local value, long = record_lines[name], record_texts[name]
  if long then call('HSET', name, 'record', value, 'text', long) else call('HSET', name, 'record', value) end
  call('PEXPIRE', name, lasting(match(value, '^%d+')))
end

-- records.write(): writes those that changed
function records.write()
  for i = 1, unwritten_count do write_record(unwritten[i]) end
  record_texts, unwritten_count = {}, 0
end
