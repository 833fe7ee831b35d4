const { describe, it } = require('node:test');
const { describeStoreContract } = require('kiket-express/testing');
const { Store, BrokenStore } = require('./store');

describeStoreContract('Store', () => new Store(), { describe, it });
describeStoreContract('BrokenStore', () => new BrokenStore(), { describe, it });
