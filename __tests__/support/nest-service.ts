import 'reflect-metadata';
import type { Server } from 'node:http';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as platform from '@nestjs/platform-express';
import type { Request } from 'express';
import type { KiketMiddleware } from 'kiket-express';

type Nest = typeof common & typeof core & typeof platform;
export type NestApp = platform.NestExpressApplication;

/** NestJS on both majors of Express, under the types of the newer one. */
export const nests = {
  'NestJS 10 (Express 4)': (): Nest => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require('nest10') as Nest;
  },
  'NestJS 11 (Express 5)': (): Nest => ({ ...common, ...core, ...platform }),
};

export interface NestServiceOptions {
  /** Default true, as Nest's documentation requires for signature checks. */
  rawBody?: boolean;
  /** Of the module, on its route. */
  middlewares?: readonly KiketMiddleware[];
  /** Called before the application is initialised, as in a service's `main.ts`. */
  setUp?: (app: NestApp) => void;
  /** The controller of POST /kiket. */
  receive: (req: Request) => object;
}

/** A NestJS application with a module, a controller and Nest's own body parser. */
export async function nestService(nest: Nest, options: NestServiceOptions): Promise<Server> {
  const { rawBody = true, middlewares = [], setUp, receive } = options;

  class Receiver {
    receive(req: Request): object {
      return receive(req);
    }
  }
  class Root {
    configure(consumer: common.MiddlewareConsumer): void {
      if (middlewares.length > 0) consumer.apply(...middlewares).forRoutes(Receiver);
    }
  }
  // Nest's decorators are of the kind before the standard, which this project's compiler does not read.
  const method = Object.getOwnPropertyDescriptor(Receiver.prototype, 'receive')!;
  nest.Controller('kiket')(Receiver);
  nest.Post()(Receiver.prototype, 'receive', method);
  nest.HttpCode(200)(Receiver.prototype, 'receive', method);
  nest.Req()(Receiver.prototype, 'receive', 0);
  nest.Module({ controllers: [Receiver] })(Root);

  const app = await nest.NestFactory.create<NestApp>(Root, { rawBody, logger: false });
  setUp?.(app);
  await app.init();
  return app.getHttpServer();
}
