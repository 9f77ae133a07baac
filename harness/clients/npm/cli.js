#!/usr/bin/env node
// Runs the program with the arguments of the command line.
import { spawn } from 'node:child_process'
import { binary } from './index.js'

const child = spawn(binary, process.argv.slice(2), { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`cannot start ${binary}: ${error.message}`)
  process.exitCode = 1
})
child.on('exit', (code) => (process.exitCode = code ?? 1))
