// A standalone XRP Ledger for tests: starts in milliseconds, closes ledgers when told, keeps nothing.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The program: that of XRPL_STANDALONE if it is set, else the one in this package. */
export const binary = process.env.XRPL_STANDALONE || fileURLToPath(new URL('./bin/xrpl-standalone', import.meta.url))

/** The ledger does not start, or answers with an error. */
export class LedgerError extends Error {
  constructor(message, error) {
    super(message)
    this.name = 'LedgerError'
    this.error = error
  }
}

/** A running ledger. */
export class Standalone {
  #child

  constructor(child, wsUrl, rpcUrl, accounts) {
    this.#child = child
    this.wsUrl = wsUrl
    this.rpcUrl = rpcUrl
    this.accounts = accounts
  }

  /** What `client.fundWallet(wallet, ledger.faucet)` takes. */
  get faucet() {
    return { faucetHost: new URL(this.rpcUrl).host, faucetProtocol: 'http' }
  }

  /** A method of the ledger or a control method; returns its result. */
  async request(method, parameters = {}) {
    const response = await fetch(this.rpcUrl, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ method, params: [parameters] }),
    })
    if (!response.ok) throw new LedgerError(`${method}: ${response.status} ${(await response.text()).trim()}`)
    const { result } = await response.json()
    if (result.status !== 'success') {
      throw new LedgerError(`${method}: ${result.error}: ${result.error_message ?? ''}`, result.error)
    }
    return result
  }

  /** Closes a ledger, and returns the index of the next. */
  async accept() {
    return (await this.request('ledger_accept')).ledger_current_index
  }

  /** Moves ledger time on by closing one ledger so many seconds after the last. */
  async advanceTime(seconds) {
    await this.request('standalone_advance_time', { seconds })
  }

  /** Pays an account, or makes it, and closes a ledger. */
  async fund(account, xrp) {
    await this.request('standalone_fund', { account, drops: String(xrp * 1_000_000) })
  }

  /** Takes transactions of an account whoever signed them. */
  async impersonate(account, enabled = true) {
    await this.request('standalone_impersonate', { account, enabled })
  }

  /** Keeps the ledger as it is, and returns the number to restore it by. */
  async snapshot() {
    return (await this.request('standalone_snapshot')).snapshot
  }

  /** Puts the ledger back; its indexes go back with it. */
  async restore(snapshot) {
    await this.request('standalone_restore', { snapshot })
  }

  /** Ends it. */
  async stop() {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    // Nothing else may keep a script alive that waits for this.
    child.ref()
    child.kill('SIGTERM')
    await ended
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.stop()
  }
}

/**
 * Starts a ledger. `args` are those of the command line. It ends with this process, however that ends, and does not keep
 * it alive.
 */
export async function start({ args = ['--close-on-submit'], accounts = 3 } = {}) {
  const own = ['--ws-port', '0', '--rpc-port', '0', '--quiet', '--end-with-stdin', '--accounts', String(accounts)]
  const child = spawn(binary, [...own, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text))
  let wsUrl
  let rpcUrl
  const funded = []
  const lines = createInterface({ input: child.stdout })
  await new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new LedgerError(`cannot start ${binary}: ${error.message}`)))
    child.once('close', () => reject(new LedgerError(`xrpl-standalone does not start: ${said.trim()}`)))
    lines.on('line', (line) => {
      const words = line.trim().split(/\s+/)
      if (line.startsWith('websocket')) wsUrl = words[1]
      else if (line.startsWith('JSON-RPC')) rpcUrl = words[1]
      else if (line.startsWith('r') && words.length === 2) funded.push({ address: words[0], seed: words[1] })
      // The last line of the introduction is the example that closes a ledger.
      else if (line.includes('ledger_accept')) resolve()
    })
  })
  lines.close()
  child.stdout.resume()
  for (const part of [child, child.stdin, child.stdout, child.stderr]) part.unref?.()
  return new Standalone(child, wsUrl, rpcUrl, funded)
}
