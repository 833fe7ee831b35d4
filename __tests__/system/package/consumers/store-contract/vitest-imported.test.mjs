import { describeStoreContract } from 'kiket-express/testing';
import { describe, it } from 'vitest';
import { Store, BrokenStore } from './store.js';

describeStoreContract('Store', () => new Store(), { describe, it });
describeStoreContract('BrokenStore', () => new BrokenStore(), { describe, it });
