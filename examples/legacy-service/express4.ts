// In this repository Express 4 is installed as `express4`, beside Express 5. In a service it is `express`.
import type express from 'express';

// eslint-disable-next-line @typescript-eslint/no-require-imports
export default require('express4') as typeof express;
