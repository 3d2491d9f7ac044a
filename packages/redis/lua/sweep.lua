local OPEN, COLON = string.byte('o:', 1, 2)

-- earliest(a, b): the earlier of two times, where 0 stands for none
local function earliest(a, b)
  if a == 0 then return b end
  return b ~= 0 and b < a and b or a
end

-- sweep_by(time): has the account swept at this time, or before
local function sweep_by(time)
  if sweep_at ~= '0' and sweep_at + 0 <= time then return end
  sweep_at = format('%d', time)
  change(':sweepAt', sweep_at)
end

-- forget(fields): deletes them, a few thousand a call because `unpack` needs stack for each
local function forget(fields)
  for first = 1, #fields, 4000 do
    call('HDEL', account_key, unpack(fields, first, min(first + 3999, #fields)))
  end
end

-- over_at(value): when a reservation is over, and what it holds until then
local function over_at(value)
  if string.byte(value) ~= OPEN then return match(value, '%d+') + CLOSED_KEPT_MS end
  local since, ceiling, lasts = match(value, '(%d+) (%d+) (%d+)')
  return since + lasts, ceiling + 0
end

-- sweep(): lets expired reservations go and forgets those closed long ago
local function sweep()
  flush()
  local fields = call('HGETALL', account_key)
  local over, kept, freed, next_expiry = {}, false, 0, 0
  for i = 1, #fields, 2 do
    if string.byte(fields[i]) ~= COLON then
      local time, held = over_at(fields[i + 1])
      if time <= now then
        over[#over + 1] = fields[i]
        reservations[fields[i]] = nil
        freed = freed + (held or 0)
      else
        kept = true
        if held then next_expiry = earliest(next_expiry, time) end
      end
    end
  end
  forget(over)
  if freed > 0 then hold(-freed) end
  sweep_at = kept and format('%d', earliest(next_expiry, now + CLOSED_KEPT_MS)) or '0'
  change(':sweepAt', sweep_at)
end
