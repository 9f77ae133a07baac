// What the README shows, and what else a first test may want. Run by `.ci/packages` in a folder of its own.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'

import { Client, Wallet } from 'xrpl'
import { LedgerError, start } from 'xrpl-standalone'

let ledger
let client

before(async () => {
  ledger = await start()
  client = new Client(ledger.wsUrl)
  await client.connect()
})

after(async () => {
  await client.disconnect()
  await ledger.stop()
})

test('a payment arrives', async () => {
  const [alice, bob] = ledger.accounts
  const payment = { TransactionType: 'Payment', Account: alice.address, Destination: bob.address, Amount: '5000000' }
  const { result } = await client.submitAndWait(payment, { wallet: Wallet.fromSeed(alice.seed) })
  assert.equal(result.meta.delivered_amount, '5000000')
})

test('a faucet funds a wallet', async () => {
  const { balance } = await client.fundWallet(null, ledger.faucet)
  assert.equal(balance, 100)
})

test('a snapshot undoes what came after it', async () => {
  const [alice] = ledger.accounts
  const balance = async () => (await ledger.request('account_info', { account: alice.address })).account_data.Balance
  const before = await balance()
  const snapshot = await ledger.snapshot()
  await ledger.fund(alice.address, 5)
  assert.notEqual(await balance(), before)
  await ledger.restore(snapshot)
  assert.equal(await balance(), before)
})

test('a month passes at once', async () => {
  const time = async () => (await ledger.request('ledger', { ledger_index: 'validated' })).ledger.close_time
  const now = await time()
  await ledger.advanceTime(30 * 86_400)
  assert.equal((await time()) - now, 30 * 86_400)
})

test('an error carries the word of the ledger', async () => {
  const nobody = ledger.request('account_info', { account: Wallet.generate().address })
  await assert.rejects(nobody, (error) => error instanceof LedgerError && error.error === 'actNotFound')
  await assert.rejects(start({ args: ['--close-every', 'soon'] }), /--close-every/)
})

test('the program is there for a shell, too', () => {
  assert.match(execFileSync('npx', ['--no-install', 'xrpl-standalone', '--version'], { encoding: 'utf8' }), /^xrpl-standalone /)
})

test('a script goes on after it has stopped its ledger', () => {
  const script = `
    import { start } from 'xrpl-standalone'
    await (await start()).stop()
    console.log('went on')
  `
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  assert.equal(said.trim(), 'went on')
})

test('a ledger is ready before anybody waits', async () => {
  const times = []
  for (let run = 0; run < 20; run++) {
    const began = performance.now()
    const other = await start()
    await other.snapshot()
    times.push(performance.now() - began)
    await other.stop()
  }
  times.sort((one, other) => one - other)
  const median = (times[9] + times[10]) / 2
  console.log(`ready in ${median.toFixed(1)} ms, at worst ${times[19].toFixed(1)} ms, of ${times.length} times`)
  assert.ok(median < Number(process.env.XRPL_READY_MS ?? 1000))
})
