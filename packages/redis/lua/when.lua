-- When an account is looked at again.

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
