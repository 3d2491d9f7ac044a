-- watch: tells which thresholds the balance has passed, each once
-- KEYS: grants
-- ARGV: watch thresholds
--   of the thresholds `below:amount`, `used:millionths`, `top_up:amount:retryMs`, with commas
-- reply: watched balance reserved
--   then `threshold:number` of each that is told, with commas

-- level_of(kind, amount, topped): the balance below which a threshold is passed
local function level_of(kind, amount, topped)
  return kind == 'used' and topped - math.ceil(topped * amount / 1000000) + 1 or amount
end

-- next_number(grants, kind, count): a top-up keeps its number until it has ended
local function next_number(grants, kind, count)
  local under_way = kind == 'top_up' and count > 0 and not call('HGET', grants, 'auto-top-up%3A' .. format('%d', count))
  return under_way and count or count + 1
end

commands.watch = function()
  local grants, by, known, told, place = key('grants'), text('watch'), alerts.read(), {}, 0
  local topped = (rarely.own(':topped') or 0) + 0
  for kind, amount, retry in string.gmatch(text('thresholds'), '([%a_]+):(%d+):?(%d*)') do
    local name = kind == 'top_up' and kind or kind .. '_' .. amount
    local level = level_of(kind, amount + 0, topped)
    local below = balance + 0 < level
    local alert = known[name] or { armed = kind == 'top_up' or not below or topped >= level, by = '', told_at = 0, number = 0 }
    local again = kind == 'top_up' and now - alert.told_at >= retry + 0
    alert.level, known[name] = level, alert
    if below and (alert.armed or again) then
      alert.armed, alert.by, alert.told_at, alert.number = false, by, now, next_number(grants, kind, alert.number)
    end
    if not alert.armed and alert.by == by then told[#told + 1] = format('%d:%d', place, alert.number) end
    place = place + 1
  end
  alerts.put(known)
  return 'watched ' .. balance .. ' ' .. reserved .. '\n' .. table.concat(told, ',')
end
