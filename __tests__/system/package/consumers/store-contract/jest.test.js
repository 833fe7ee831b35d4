const { describeStoreContract } = require('kiket-express/testing');
const { Store, BrokenStore } = require('./store');

describeStoreContract('Store', () => new Store());
describeStoreContract('BrokenStore', () => new BrokenStore());
