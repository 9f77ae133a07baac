/** The program: that of XRPL_STANDALONE if it is set, else the one in this package. */
export declare const binary: string

/** The ledger does not start, or answers with an error. */
export declare class LedgerError extends Error {
  /** The ledger's word for it, `actNotFound` for one. */
  readonly error?: string
}

/** A funded account, with the seed that its keys come from (ed25519). */
export interface Account {
  readonly address: string
  readonly seed: string
}

export interface Options {
  /** Arguments of the command line; `['--close-on-submit']` by default. */
  args?: string[]
  /** How many funded accounts; 3 by default. */
  accounts?: number
}

/** A running ledger. */
export declare class Standalone {
  readonly wsUrl: string
  readonly rpcUrl: string
  readonly accounts: Account[]
  /** What `client.fundWallet(wallet, ledger.faucet)` takes. */
  readonly faucet: { faucetHost: string; faucetProtocol: 'http' }
  request(method: string, parameters?: Record<string, unknown>): Promise<any>
  accept(): Promise<number>
  advanceTime(seconds: number): Promise<void>
  fund(account: string, xrp: number): Promise<void>
  impersonate(account: string, enabled?: boolean): Promise<void>
  snapshot(): Promise<number>
  restore(snapshot: number): Promise<void>
  stop(): Promise<void>
}

/** Starts a ledger. It ends with this process, however that ends, and does not keep it alive. */
export declare function start(options?: Options): Promise<Standalone>
