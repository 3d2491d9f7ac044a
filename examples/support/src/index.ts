export { readSettings, type Settings } from './settings.js'
export { serve, type Example } from './serve.js'
export { SIMULATED_ERROR, simulated } from './simulate.js'
export { pick } from './pick.js'
