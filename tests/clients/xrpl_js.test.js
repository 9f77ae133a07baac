// xrpl.js, unmodified, against xrpl-standalone: what its users do with a ledger, step by step.
//
// `.ci/clients` starts the ledger and says where it is in LEDGER_WS. Ledgers close by themselves several times a
// second; time is moved by `standalone_advance_time`, never slept.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'

import xrpl from 'xrpl'

const { Client, ECDSA, RippledError, Wallet, decode, multisign } = xrpl

const WS_URL = process.env.LEDGER_WS
assert.ok(WS_URL, 'LEDGER_WS says where the ledger is')

// The account that holds all XRP of a fresh ledger: public, and for tests alone.
const GENESIS = Wallet.fromSeed('snoPBrXtMeMyMHUVTgbuqAfg1SUTb', { algorithm: ECDSA.secp256k1 })

// Longer than anything here takes, shorter than anybody waits.
const PATIENCE_MS = 30_000

let client

before(async () => {
  client = new Client(WS_URL)
  await client.connect()
})

after(() => client.disconnect())

/** A method, the ledger's own or a control method of xrpl-standalone; returns the result. */
async function call(command, parameters = {}) {
  return (await client.request({ command, ...parameters })).result
}

/** Fresh accounts with 1,000 XRP each, of both kinds of keys. */
async function people(count) {
  const wallets = Array.from({ length: count }, (_, at) =>
    Wallet.generate(at % 2 === 0 ? ECDSA.ed25519 : ECDSA.secp256k1),
  )
  for (const wallet of wallets) {
    await call('standalone_fund', { account: wallet.address, drops: '1000000000' })
  }
  return wallets
}

/** Fills in, signs, submits, closes a ledger, and returns what became of the transaction. */
async function settle(transaction, wallet) {
  const signed = wallet.sign(await client.autofill(transaction))
  const submitted = await client.submit(signed.tx_blob)
  await call('ledger_accept')
  const result = await call('tx', { transaction: signed.hash })
  assert.equal(result.validated, true, JSON.stringify(submitted))
  return result
}

async function succeed(transaction, wallet) {
  const result = await settle(transaction, wallet)
  assert.equal(result.meta.TransactionResult, 'tesSUCCESS')
  return result
}

const pay = (from, to, drops, more = {}) => ({
  TransactionType: 'Payment',
  Account: from.address,
  Destination: to.address,
  Amount: String(drops),
  ...more,
})

const balance = async (wallet) => Number((await call('account_info', { account: wallet.address })).account_data.Balance)

const closeTime = async () => (await call('ledger', { ledger_index: 'validated' })).ledger.close_time

/** A condition and the fulfillment that opens it, as the ledger reads them. */
function preimageSha256() {
  const preimage = randomBytes(32)
  const hash = createHash('sha256').update(preimage).digest('hex')
  return {
    condition: `A0258020${hash}810120`.toUpperCase(),
    fulfillment: `A0228020${preimage.toString('hex')}`.toUpperCase(),
  }
}

/** The error of the ledger that a request is answered with. */
async function refusal(request) {
  return request.then(
    () => assert.fail('the ledger should have refused'),
    (error) => {
      assert.ok(error instanceof RippledError, String(error))
      return error.data.error
    },
  )
}

test('a client connects and reads what the server is', async () => {
  assert.equal(client.isConnected(), true)
  const { info } = await call('server_info')
  assert.ok(info.complete_ledgers)
  assert.equal(info.validated_ledger.base_fee_xrp, 0.00001)
  assert.ok((await client.getLedgerIndex()) > 2)
  assert.equal((await call('fee')).drops.minimum_fee, '10')
  const definitions = await call('server_definitions')
  assert.equal(definitions.TRANSACTION_TYPES.Payment, 0)
})

test('an account is funded by a payment and then exists', async () => {
  const wallet = Wallet.generate()
  assert.equal(await refusal(call('account_info', { account: wallet.address })), 'actNotFound')
  const { result } = await client.submitAndWait(pay(GENESIS, wallet, 50_000_000), { wallet: GENESIS })
  assert.equal(result.meta.TransactionResult, 'tesSUCCESS')
  assert.equal(result.meta.delivered_amount, '50000000')
  assert.equal(await client.getXrpBalance(wallet.address), 50)
})

test('the faucet funds a wallet', async () => {
  const faucet = { faucetHost: new URL(process.env.LEDGER_RPC).host, faucetProtocol: 'http' }
  const { wallet, balance } = await client.fundWallet(null, { ...faucet, amount: '25' })
  assert.equal(balance, 25)
  assert.equal(await client.getXrpBalance(wallet.address), 25)
})

test('an account is acted for whose keys nobody has', async () => {
  const [treasury, receiver] = await people(2)
  const stranger = Wallet.generate()
  const signed = stranger.sign(await client.autofill(pay(treasury, receiver, 1)))
  await call('standalone_impersonate', { account: treasury.address, enabled: true })
  const { result } = await client.submit(signed.tx_blob)
  assert.equal(result.engine_result, 'tesSUCCESS')
})

test('autofill, sign and submitAndWait with both kinds of keys', async () => {
  const [one, two, receiver] = await people(3)
  for (const sender of [one, two]) {
    const Memos = [{ Memo: { MemoType: '6E6F7465', MemoData: '72656E74' } }]
    const filled = await client.autofill(pay(sender, receiver, 1_000_000, { DestinationTag: 7, Memos }))
    assert.ok(filled.Fee && filled.Sequence && filled.LastLedgerSequence)
    const signed = sender.sign(filled)
    const { result } = await client.submitAndWait(signed.tx_blob)
    assert.equal(result.hash, signed.hash)
    assert.equal(result.tx_json.DestinationTag, 7)
    assert.deepEqual(result.tx_json.Memos, Memos)
    assert.match(result.close_time_iso, /^\d{4}-\d\d-\d\dT/)
  }
  assert.equal(await balance(receiver), 1_002_000_000)
})

test('both versions of the API are spoken', async () => {
  const [sender, receiver] = await people(2)
  const { hash } = await succeed(pay(sender, receiver, 1), sender)
  const first = await call('tx', { transaction: hash, api_version: 1 })
  assert.equal(first.Amount, '1')
  assert.equal(first.tx_json, undefined)
  const second = await call('tx', { transaction: hash, api_version: 2 })
  assert.equal(second.tx_json.DeliverMax, '1')
})

test('a failed transaction tells its code, in the reply and for good', async () => {
  const [sender, receiver] = await people(2)
  const { result } = await client.submitAndWait(pay(sender, receiver, 5_000_000_000), { wallet: sender })
  assert.equal(result.meta.TransactionResult, 'tecUNFUNDED_PAYMENT')
})

test('errors arrive as the client knows them', async () => {
  const [sender, receiver] = await people(2)
  assert.equal(await refusal(call('tx', { transaction: 'A'.repeat(64) })), 'txnNotFound')
  assert.equal(await refusal(call('ledger', { ledger_index: 4_000_000 })), 'lgrNotFound')
  assert.equal(await refusal(call('no_such_method')), 'unknownCmd')
  assert.equal(await refusal(call('account_info')), 'invalidParams')
  const late = await client.autofill(pay(sender, receiver, 1, { LastLedgerSequence: 3 }))
  const { result } = await client.submit(sender.sign(late).tx_blob)
  assert.equal(result.engine_result, 'tefMAX_LEDGER')
  const filled = await client.autofill(pay(sender, receiver, 1))
  const spoiled = { ...decode(sender.sign(filled).tx_blob), Amount: '2' }
  assert.equal(await refusal(client.submit(spoiled)), 'invalidTransaction')
})

test('simulate tells and changes nothing', async () => {
  const [sender, receiver] = await people(2)
  const { result } = await client.simulate(pay(sender, receiver, 1_000_000))
  assert.equal(result.engine_result, 'tesSUCCESS')
  assert.equal(result.applied, false)
  assert.equal(result.meta.delivered_amount, '1000000')
  const binary = await client.simulate(pay(sender, receiver, 1), { binary: true })
  assert.ok(binary.result.tx_blob)
  const poor = await client.simulate(pay(sender, receiver, 9_000_000_000))
  assert.equal(poor.result.engine_result, 'tecUNFUNDED_PAYMENT')
  await call('ledger_accept')
  assert.equal(await balance(sender), 1_000_000_000)
})

test('signers sign together and too few are refused', async () => {
  const [treasury, ...signers] = await people(4)
  await succeed(
    {
      TransactionType: 'SignerListSet',
      Account: treasury.address,
      SignerQuorum: 2,
      SignerEntries: signers.map(({ address }) => ({ SignerEntry: { Account: address, SignerWeight: 1 } })),
    },
    treasury,
  )
  const filled = await client.autofill(pay(treasury, signers[0], 5_000_000), 2)
  assert.ok(Number(filled.Fee) >= 30)
  const parts = signers.slice(0, 2).map((signer) => signer.sign(filled, true).tx_blob)
  const lonely = await client.submit(multisign(parts.slice(0, 1)))
  assert.equal(lonely.result.engine_result, 'tefBAD_QUORUM')
  const { result } = await client.submitAndWait(multisign(parts))
  assert.equal(result.meta.TransactionResult, 'tesSUCCESS')
  assert.equal(result.tx_json.Signers.length, 2)
  const objects = await call('account_objects', { account: treasury.address, type: 'signer_list' })
  assert.equal(objects.account_objects[0].SignerEntries.length, 3)
})

test('tickets are used in any order', async () => {
  const [owner, receiver] = await people(2)
  await succeed({ TransactionType: 'TicketCreate', Account: owner.address, TicketCount: 3 }, owner)
  const tickets = async () =>
    (await call('account_objects', { account: owner.address, type: 'ticket' })).account_objects
      .map((entry) => entry.TicketSequence)
      .sort((one, other) => one - other)
  const made = await tickets()
  assert.equal(made.length, 3)
  for (const ticket of made.slice(1).reverse()) {
    await succeed(pay(owner, receiver, 1, { Sequence: 0, TicketSequence: ticket }), owner)
  }
  assert.deepEqual(await tickets(), made.slice(0, 1))
  const again = await client.autofill(pay(owner, receiver, 1, { Sequence: 0, TicketSequence: made[2] }))
  const { result } = await client.submit(owner.sign(again).tx_blob)
  assert.equal(result.engine_result, 'tefNO_TICKET')
})

test('an escrow opens with its fulfillment after its time, and another is cancelled', async () => {
  const [owner, destination, anybody] = await people(3)
  const { condition, fulfillment } = preimageSha256()
  const now = await closeTime()
  const create = (times) => ({
    TransactionType: 'EscrowCreate',
    Account: owner.address,
    Destination: destination.address,
    Amount: '7000000',
    Condition: condition,
    ...times,
  })
  const kept = await succeed(create({ FinishAfter: now + 100_000 }), owner)
  const dropped = await succeed(create({ CancelAfter: now + 100_000 }), owner)
  const finish = {
    TransactionType: 'EscrowFinish',
    Account: anybody.address,
    Owner: owner.address,
    OfferSequence: kept.tx_json.Sequence,
    Condition: condition,
    Fulfillment: fulfillment,
  }
  const cancel = {
    TransactionType: 'EscrowCancel',
    Account: anybody.address,
    Owner: owner.address,
    OfferSequence: dropped.tx_json.Sequence,
  }
  for (const early of [finish, cancel]) {
    assert.equal((await settle({ ...early }, anybody)).meta.TransactionResult, 'tecNO_PERMISSION')
  }
  const entry = { escrow: { owner: owner.address, seq: kept.tx_json.Sequence } }
  assert.equal((await call('ledger_entry', entry)).node.Amount, '7000000')
  await call('standalone_advance_time', { seconds: 100_001 })
  const wrong = { ...finish, Fulfillment: preimageSha256().fulfillment }
  assert.equal((await settle(wrong, anybody)).meta.TransactionResult, 'tecCRYPTOCONDITION_ERROR')
  const finished = await succeed({ ...finish }, anybody)
  assert.ok(Number(finished.tx_json.Fee) >= 330)
  await succeed({ ...cancel }, anybody)
  assert.equal(await refusal(call('ledger_entry', entry)), 'entryNotFound')
  assert.equal(await balance(destination), 1_007_000_000)
})

test('an issued currency is trusted, issued and shown among the balances', async () => {
  const [issuer, holder] = await people(2)
  const usd = (value) => ({ currency: 'USD', issuer: issuer.address, value })
  await succeed({ TransactionType: 'TrustSet', Account: holder.address, LimitAmount: usd('1000') }, holder)
  await succeed({ ...pay(issuer, holder, 0), Amount: usd('250.5') }, issuer)
  const held = (await client.getBalances(holder.address)).find(({ currency }) => currency === 'USD')
  assert.deepEqual(held, usd('250.5'))
})

test('account_tx turns pages', async () => {
  const [sender, receiver] = await people(2)
  const hashes = []
  for (const amount of [1, 2, 3, 4, 5]) {
    hashes.push((await succeed(pay(sender, receiver, amount), sender)).hash)
  }
  const request = { command: 'account_tx', account: sender.address, limit: 2, forward: true }
  const pages = [await client.request(request)]
  while (pages.at(-1).result.marker !== undefined) {
    pages.push(await client.requestNextPage(request, pages.at(-1)))
  }
  assert.equal(pages.length, 3)
  const listed = pages.flatMap(({ result }) => result.transactions)
  assert.deepEqual(listed.slice(1).map(({ hash }) => hash), hashes)
  // requestAll asks in the server's own version, which writes transactions another way: only the count is the same.
  const [all] = await client.requestAll({ command: 'account_tx', account: sender.address })
  assert.equal(all.result.transactions.length, listed.length)
})

test('a subscriber hears of every ledger and its transactions', async () => {
  const [sender, receiver] = await people(2)
  const listener = new Client(WS_URL)
  await listener.connect()
  try {
    const ledgers = []
    let found
    const heard = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('the stream said nothing')), PATIENCE_MS)
      listener.on('ledgerClosed', (ledger) => {
        ledgers.push(ledger.ledger_index)
        if (found !== undefined && ledger.ledger_index > found.ledger_index) {
          clearTimeout(late)
          resolve()
        }
      })
      listener.on('transaction', (message) => {
        if (message.tx_json.Destination === receiver.address) found = message
      })
    })
    const streams = ['ledger', 'transactions']
    const reply = await listener.request({ command: 'subscribe', streams, accounts: [receiver.address] })
    assert.ok(reply.result.ledger_index > 0)
    const sent = await succeed(pay(sender, receiver, 4), sender)
    await heard
    assert.equal(found.hash, sent.hash)
    assert.equal(found.validated, true)
    assert.equal(found.engine_result, 'tesSUCCESS')
    assert.equal(found.meta.delivered_amount, '4')
    assert.ok(ledgers.includes(found.ledger_index))
    assert.deepEqual(ledgers, ledgers.map((_, at) => ledgers[0] + at))
    await listener.request({ command: 'unsubscribe', streams })
  } finally {
    await listener.disconnect()
  }
})

test('a snapshot puts the ledger back', async () => {
  const [sender, receiver] = await people(2)
  const { snapshot } = await call('standalone_snapshot')
  await succeed(pay(sender, receiver, 9), sender)
  assert.equal(await balance(receiver), 1_000_000_009)
  await call('standalone_restore', { snapshot })
  assert.equal(await balance(receiver), 1_000_000_000)
})
