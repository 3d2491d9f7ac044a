-- Hands out KEYS and ARGV one after the other. The name each is asked for by is its name in the header of
-- the file that asks: the embed script holds one against the other.
local KEYS, ARGV = KEYS, ARGV
local call, format, match, min, max = redis.call, string.format, string.match, math.min, math.max
local keys_read, args_read = 0, 0

local function key(_)
  keys_read = keys_read + 1
  return KEYS[keys_read]
end

local function text(_)
  args_read = args_read + 1
  return ARGV[args_read]
end

local function number(_)
  args_read = args_read + 1
  return ARGV[args_read] + 0
end

-- What a batch can ask for, by the kind of the command: functions of the reservation's id that return the reply.
local commands = {}
