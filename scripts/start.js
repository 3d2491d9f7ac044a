// npm start [example]: installs, builds and runs an example until it is told to stop.
import { spawn } from 'node:child_process'
import { fail, install, root, script } from './workspace.js'

const examples = ['the-hog', 'humalike', 'llm-chat', 'edge']
const [name = examples[0]] = process.argv.slice(2)

if (!examples.includes(name)) fail(`there is no example "${name}"; choose one of: ${examples.join(', ')}`)
console.log('installing…')
if (install() !== 0) fail('the packages could not be installed')
console.log('building…')
if (script('build', { quiet: true }) !== 0) fail('the build failed')

const example = spawn(process.execPath, [`examples/${name}/dist/main.js`], { cwd: root, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => example.kill(signal))
example.on('exit', (status) => process.exit(status ?? 1))
