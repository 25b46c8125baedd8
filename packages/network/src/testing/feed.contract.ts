import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FeedGap } from '../feed.ts';
import type { ChannelName } from '../channel.ts';
import type { Change, Feed, Position } from '../feed.ts';
import type { Network, NetworkId, Node, NodeId, Port, PortId, Subnet, SubnetId } from '../nouns.ts';

/** An empty region whose feed is examined, and the ways to change it. */
export interface FeedSubject {
  readonly feed: Feed;
  createNetwork(name: string): Promise<Network>;
  renameNetwork(id: NetworkId, name: string): Promise<Network>;
  deleteNetwork(id: NetworkId): Promise<void>;
  overrideChannel(id: NetworkId, override: ChannelName | null): Promise<void>;
  createSubnet(networkId: NetworkId, cidr: string): Promise<Subnet>;
  deleteSubnet(id: SubnetId): Promise<void>;
  createPort(networkId: NetworkId): Promise<Port>;
  deletePort(id: PortId): Promise<void>;
  createNode(id: NodeId): Promise<Node>;
  deleteNode(id: NodeId): Promise<void>;
  /** Lets the feed forget what it need not keep. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

/** The promises of a Feed, as tests for every implementation. */
export function describeFeed(name: string, open: () => Promise<FeedSubject>): void {
  describe(`feed: ${name}`, () => {
    let subject: FeedSubject;
    beforeEach(async () => {
      subject = await open();
    });
    afterEach(() => subject.close());

    it('starts empty and follows from there', async () => {
      const { position, rows } = await readSnapshot(subject.feed);
      expect(rows).toEqual([]);
      const network = await subject.createNetwork('a');
      const { changes } = await nextBatch(subject.feed, position);
      expect(changes).toEqual([{ kind: 'network', id: network.id, revision: network.revision, row: network }]);
    });

    it('gives everything there is in a snapshot, what is referred to first', async () => {
      const network = await subject.createNetwork('a');
      const subnet = await subject.createSubnet(network.id, '10.0.0.0/24');
      const port = await subject.createPort(network.id);
      const node = await subject.createNode('host-1' as NodeId);
      const { rows } = await readSnapshot(subject.feed);
      const [first, ...others] = rows.filter(({ kind }) => kind !== 'node').map(({ row }) => row);
      // The subnet may have grown its revision.
      expect(first).toMatchObject({ id: network.id, name: network.name, vni: network.vni });
      expect(others).toEqual([subnet, port]);
      expect(rows.filter(({ kind }) => kind === 'node').map(({ row }) => row)).toEqual([node]);
      expect(port.fixedIps).toEqual([{ subnetId: subnet.id, ip: '10.0.0.2' }]);
    });

    it('gives nothing after a snapshot that the snapshot held already', async () => {
      await subject.createNetwork('before');
      const { position } = await readSnapshot(subject.feed);
      const later = await subject.createNetwork('after');
      const { changes } = await nextBatch(subject.feed, position);
      expect(changes.map(({ id }) => id)).toEqual([later.id]);
    });

    it('tells the newest state of a row once, with a revision that grows by one per change', async () => {
      const { position } = await readSnapshot(subject.feed);
      const made = await subject.createNetwork('a');
      await subject.renameNetwork(made.id, 'b');
      const last = await subject.renameNetwork(made.id, 'c');
      const { changes } = await nextBatch(subject.feed, position);
      expect(changes).toEqual([{ kind: 'network', id: made.id, revision: 3, row: last }]);
    });

    it('tells a removal with one more than the last revision, dependants first', async () => {
      const network = await subject.createNetwork('a');
      const port = await subject.createPort(network.id);
      await subject.renameNetwork(network.id, 'b');
      const { position } = await readSnapshot(subject.feed);
      await subject.deletePort(port.id);
      await subject.deleteNetwork(network.id);
      const { changes } = await nextBatch(subject.feed, position);
      expect(changes).toEqual([
        { kind: 'port', id: port.id, revision: 2, row: null },
        { kind: 'network', id: network.id, revision: 3, row: null },
      ]);
      expect((await readSnapshot(subject.feed)).rows).toEqual([]);
    });

    it('tells the removal of the subnets that go with their network', async () => {
      const network = await subject.createNetwork('a');
      const subnet = await subject.createSubnet(network.id, '10.0.0.0/24');
      const { position } = await readSnapshot(subject.feed);
      await subject.deleteNetwork(network.id);
      const { changes } = await nextBatch(subject.feed, position);
      expect(changes.map(({ kind, id, row }) => [kind, id, row])).toEqual([
        ['subnet', subnet.id, null],
        ['network', network.id, null],
      ]);
    });

    it('tells what an administrator wants of the channel of a network, and takes it away with the network', async () => {
      const network = await subject.createNetwork('a');
      const { position } = await readSnapshot(subject.feed);
      await subject.overrideChannel(network.id, 'mq');
      const wanted = await nextBatch(subject.feed, position);
      const row = { id: network.id, channel: 'grpc', override: 'mq', revision: 1 };
      expect(wanted.changes).toEqual([{ kind: 'channel', id: network.id, revision: 1, row }]);
      expect((await readSnapshot(subject.feed)).rows.map(({ kind }) => kind)).toEqual(['network', 'channel']);
      await subject.overrideChannel(network.id, null);
      await subject.deleteNetwork(network.id);
      const gone = await nextBatch(subject.feed, wanted.position);
      expect(gone.changes.map((each) => [each.kind, each.revision, each.row])).toEqual([
        ['channel', 3, null],
        ['network', 2, null],
      ]);
    });

    it('never lets a revision go back, also when a node is registered again', async () => {
      const id = 'host-1' as NodeId;
      const first = await subject.createNode(id);
      const { position } = await readSnapshot(subject.feed);
      await subject.deleteNode(id);
      const gone = await nextBatch(subject.feed, position);
      const again = await subject.createNode(id);
      const back = await nextBatch(subject.feed, gone.position);
      expect(first.revision).toBe(1);
      expect(gone.changes).toEqual([{ kind: 'node', id, revision: 2, row: null }]);
      expect(back.changes).toEqual([{ kind: 'node', id, revision: 3, row: again }]);
    });

    it('waits for a change that is yet to come', async () => {
      const { position } = await readSnapshot(subject.feed);
      const waiting = nextBatch(subject.feed, position);
      const network = await subject.createNetwork('late');
      expect((await waiting).changes.map(({ id }) => id)).toEqual([network.id]);
    });

    it('ends when told to', async () => {
      const { position } = await readSnapshot(subject.feed);
      const stop = new AbortController();
      const end = subject.feed.changes(position, stop.signal)[Symbol.asyncIterator]().next();
      stop.abort();
      expect((await end).done).toBe(true);
    });

    it('says that a position is no longer kept, and keeps the newest', async () => {
      const { position } = await readSnapshot(subject.feed);
      await subject.createNetwork('a');
      await subject.createNetwork('b');
      await subject.forget();
      await expect(nextBatch(subject.feed, position)).rejects.toBeInstanceOf(FeedGap);
      const fresh = await readSnapshot(subject.feed);
      const network = await subject.createNetwork('c');
      expect((await nextBatch(subject.feed, fresh.position)).changes.map(({ id }) => id)).toEqual([network.id]);
    });

    it('refuses a position it never gave', async () => {
      await expect(nextBatch(subject.feed, 'nonsense')).rejects.toBeInstanceOf(FeedGap);
      await expect(nextBatch(subject.feed, '99999999999:99999999999:')).rejects.toBeInstanceOf(FeedGap);
    });

    it('serves several readers alike', async () => {
      const { position } = await readSnapshot(subject.feed);
      const readers = [1, 2, 3].map(() => nextBatch(subject.feed, position));
      const network = await subject.createNetwork('a');
      for (const { changes } of await Promise.all(readers)) expect(changes.map(({ id }) => id)).toEqual([network.id]);
    });
  });
}

/** Reads a snapshot to its end. */
export async function readSnapshot(feed: Feed): Promise<{ position: Position; rows: readonly Change[] }> {
  const { position, batches } = await feed.snapshot(new AbortController().signal);
  const rows: Change[] = [];
  for await (const batch of batches) rows.push(...batch);
  return { position, rows };
}

/** The first batch after `position`. */
export async function nextBatch(
  feed: Feed,
  position: Position,
): Promise<{ position: Position; changes: readonly Change[] }> {
  const stop = new AbortController();
  for await (const batch of feed.changes(position, stop.signal)) return batch;
  throw new Error('the feed ended');
}
