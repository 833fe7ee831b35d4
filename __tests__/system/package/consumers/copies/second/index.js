// Has a copy of the package of its own.
module.exports = require('kiket-express');
