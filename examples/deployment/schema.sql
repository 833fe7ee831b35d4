CREATE TABLE issues (id text PRIMARY KEY);
