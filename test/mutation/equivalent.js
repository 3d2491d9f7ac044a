/** Mutants that no test can tell from the program, and why: by their file, the line, and the change. */
export const equivalent = [
  { file: 'budgets.lua', code: 'elseif time > 0 and (next_end == 0 or time < next_end) then next_end = time end', change: '< → <=', why: 'the earlier of two equal times is either' },
  { file: 'settle.lua', code: 'local owed = charge + 0 < ceiling + 0 and charge or ceiling', change: '0 → 1', why: 'a charge that equals its ceiling is the same amount from either' },
  { file: 'lots.lua', code: 'local sum = 0', change: '0 → 1', why: 'plain credits are the balance less one such sum plus another: it cancels out' },
  { file: 'lots.lua', code: 'if #ended == 0 then return end', change: 'if #ended == 0 then return end → ', why: 'without it nothing ends either; the lots are written once more as they are' },
  { file: 'count.lua', code: "call('PEXPIRE', name, format('%d', 2 * WEEK_MS))", change: '2 → 3', why: 'what is older than two weeks is not read; the server only keeps it longer' },
  { file: 'refund.lua', code: "local all, reversed = lots.in_turn(spent, { grant = '', amount = plain, ends = 0 }), {}", change: '0 → 1', why: 'plain credits go back to no lot, whenever they end' },
  { file: 'waiting.lua', code: "local last, lines = format('%d', number('limit') - 1), {}", change: '1 → 0', why: 'a partition tells one account more, which the store leaves out' },
  { file: 'allowance.ts', code: 'if (known?.amount === amount && known.every === every && known.rollover === rollover) return state', change: 'if (known?.amount === amount && known.every === every && known.rollover === rollover) return state → ', why: 'the same terms are put in the place of themselves' },
  { file: 'progress.lua', code: 'if ttl ~= 0 then', change: '0 → 1', why: 'what goes on lasts longer than a millisecond from now, and is kept as long after it' },
  { file: 'clock.lua', code: "return format('%d', max(0, kept_until - now) + 60000)", change: '60000 → 60001', why: 'the server only keeps longer what is over' },
  { file: 'allowance.lua', code: 'if its.amount == amount and its.every == every and its.rollover == rollover + 0 then return end', change: 'if its.amount == amount and its.every == every and its.rollover == rollover + 0 then return end → ', why: 'the same terms are put in the place of themselves' },
  { file: 'lots.lua', code: 'if ends > 0 then sweep_by(ends) end', change: '0 → 1', why: 'no lot ends in the first millisecond of 1970' },
  { file: 'lots.ts', code: "return amount > 0 ? [{ grant: lot?.grant ?? '', amount }] : []", change: '> → >=', why: 'a share of nothing moves nothing, and is not written down' },
  { file: 'count-usage.lua', code: "usage = string.sub(usage, 1, at) .. format('%d:%d', calls + 1, charged + charge) .. rest", change: '1 → 0', why: 'a text begins at 1, also where 0 is asked for' },
  { file: 'all-reservations.lua', code: "if string.sub(fields[i], 1, 2) == ':w' then has_windows = true end", change: '== → ~=', why: 'windows are looked for where there are none, and found wherever there are some: an account has other fields, too' },
  { file: 'lots.lua', code: "if shares == '' then return end", change: "if shares == '' then return end → ", why: 'no share changes no lot; they are written once more as they are' },
]
