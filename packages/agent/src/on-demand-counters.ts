/** What became of packets to who was not known, since the agent started. */
export interface OnDemandCounters {
  /** Given to the agent by the switch. */
  packets: number;
  /** That look for nobody who could be asked for. */
  strays: number;
  /** Copies of those that a gateway forwards: only asked for. */
  forwarded: number;
  /** Sent on, once their destination was in force. */
  released: number;
  /** Dropped, because the destination is known not to be reachable. */
  refused: number;
  /** Dropped, because the network asks for more than its share. */
  limited: number;
  /** Dropped, because too many wait already. */
  crowded: number;
  /** Dropped, because they have waited for too long. */
  expired: number;
  /** Questions, also those that are repeated. */
  questions: number;
  /** Answers: the destination can be reached. */
  routable: number;
  /** Answers: it cannot. */
  notRoutable: number;
  /** Answers: not now. */
  putOff: number;
  /** Questions without an answer. */
  unanswered: number;
  /** Neighbours said to be idle; again as long as they are held. */
  idle: number;
  /** Neighbours dropped because nobody had spoken to this host for too long (`unheardMs`). */
  outlived: number;
}

export function noCounts(): OnDemandCounters {
  return {
    packets: 0, strays: 0, forwarded: 0, released: 0, refused: 0, limited: 0, crowded: 0, expired: 0,
    questions: 0, routable: 0, notRoutable: 0, putOff: 0, unanswered: 0, idle: 0, outlived: 0,
  }; // prettier-ignore
}

/** What the engine holds now, in numbers. */
export interface OnDemandSizes {
  readonly networks: number;
  readonly learnt: number;
  readonly held: number;
  readonly refusals: number;
}

/** One line for people: what is held now, and what has happened at least once. */
export function onDemandInWords(
  { networks, learnt, held, refusals }: OnDemandSizes,
  counters: Readonly<OnDemandCounters>,
): string {
  const happened = Object.entries(counters).flatMap(([name, count]) => (count > 0 ? [`${name} ${count}`] : []));
  const now = `networks ${networks}, learnt ${learnt}, packets held ${held}, refusals ${refusals}`;
  return `on demand: ${now}; since the start: ${happened.join(', ') || 'nothing'}`;
}
