import { describeStoreContract } from 'kiket-express/testing';
import { Store, BrokenStore } from './store.js';

describeStoreContract('Store', () => new Store());
describeStoreContract('BrokenStore', () => new BrokenStore());
