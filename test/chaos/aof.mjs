import { Redis } from 'ioredis'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
const delay = (ms) => new Promise((r) => setTimeout(r, ms))
let port = 17750
for (const slow of [0, 100, 1000, 5000]) {
  let lostRounds = 0, lostAll = 0, acked = 0, oldest = 0, busy = 0
  for (let round = 0; round < 12; round++) {
    const dir = mkdtempSync('/tmp/scratch/sentinel/aof-')
    const p = port++
    const start = (env) => spawn('redis-server', ['--port', String(p), '--dir', dir, '--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'], { stdio: 'ignore', env: { ...process.env, ...env } })
    let s = start({ LD_PRELOAD: '/tmp/scratch/sentinel/slow.so', SLOW_MS: String(slow) })
    let c = new Redis(p, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: 0 }); c.on('error', () => {})
    while (await c.ping().catch(() => 0) !== 'PONG') await delay(20)
    const acks = []
    let on = true
    const writing = (async () => { for (let n = 0; on; n++) await c.sadd('s', n).then(() => acks.push([n, performance.now()]), () => { on = false }) })()
    await delay(2500 + Math.random() * 3000)
    const info = await c.info('persistence')
    if (/aof_pending_bio_fsync:[1-9]/.test(info)) busy++
    const at = performance.now()
    s.kill('SIGKILL'); await once(s, 'exit'); on = false; await writing; c.disconnect()
    s = start({})
    c = new Redis(p, '127.0.0.1', { retryStrategy: () => 20 }); c.on('error', () => {})
    while (!(await c.info('persistence').catch(() => '')).includes('loading:0')) await delay(20)
    const there = new Set((await c.smembers('s')).map(Number))
    const lost = acks.filter(([n]) => !there.has(n))
    acked += acks.length; lostAll += lost.length; if (lost.length) { lostRounds++; oldest = Math.max(oldest, at - lost[0][1]) }
    c.disconnect(); s.kill('SIGKILL'); await once(s, 'exit'); rmSync(dir, { recursive: true })
  }
  console.log({ fsyncMs: slow, rounds: 12, 'fsync pending at kill': busy, lostRounds, lostAll, acked, oldestLostMs: Math.round(oldest) })
}
