import type { UnaryMethod } from '@alcor/runtime';
import { Client, type ClientReadableStream, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';

/** What a call was refused with. */
export interface Refused {
  readonly code: string;
  readonly details: string;
}

/** A client as gRPC's own library has it: what others see of the service. */
export class GrpcClient {
  readonly #client: Client;
  readonly #token: string;

  constructor(address: string, token = '') {
    this.#client = new Client(address, credentials.createInsecure());
    this.#token = token;
  }

  /** The reply, or what the call was refused with. */
  call<Request, Reply>(method: UnaryMethod<Request, Reply>, request: Request): Promise<Reply | Refused> {
    return new Promise((resolve) => {
      const [encode, decode] = codecs(method);
      this.#client.makeUnaryRequest(method.path, encode, decode, request, this.#metadata(), (error, reply) =>
        resolve(error === null ? (reply as Reply) : refusedBy(error)),
      );
    });
  }

  /** Replies as they come; cancel it when enough was heard. */
  watch<Request, Reply>(method: UnaryMethod<Request, Reply>, request: Request): ClientReadableStream<Reply> {
    const [encode, decode] = codecs(method);
    return this.#client.makeServerStreamRequest(method.path, encode, decode, request, this.#metadata());
  }

  close(): void {
    this.#client.close();
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    if (this.#token !== '') metadata.set('x-auth-token', this.#token);
    return metadata;
  }
}

/** Of an error that a stream has thrown. */
export function refusedBy(error: unknown): Refused {
  const { code, details } = error as ServiceError;
  return { code: status[code], details };
}

function codecs<Request, Reply>({
  request,
  reply,
}: UnaryMethod<Request, Reply>): [(value: Request) => Buffer, (bytes: Buffer) => Reply] {
  return [(value) => Buffer.from(request.encode(value).finish()), (bytes) => reply.decode(bytes)];
}
