-- Roles of Praetor in a ClickHouse server, the least with which each part works. Run it once, after
-- `praetor db migrate`, as a user who may manage access (access_management = 1):
--
--   clickhouse-client --user admin --password --queries-file deploy/clickhouse/grants.sql
--
-- The database is `praetor` here: change the name where PRAETOR_CLICKHOUSE_DATABASE does. Each role is then
-- given to a user of yours; who those are, and how they log in, is at the end, commented out.

-- The archive (`praetor archive`): writes what govern decided, and reads back what it wrote, to know after a
-- crash which inserts took place. It cannot change or delete a row.
CREATE ROLE IF NOT EXISTS praetor_archive;
GRANT INSERT, SELECT ON praetor.decisions TO praetor_archive;
GRANT INSERT, SELECT ON praetor.threats TO praetor_archive;
GRANT INSERT, SELECT ON praetor.dead_letters TO praetor_archive;
GRANT INSERT, SELECT ON praetor.checkpoints TO praetor_archive;
GRANT INSERT, SELECT ON praetor.snapshots TO praetor_archive;
GRANT INSERT, SELECT ON praetor.incidents TO praetor_archive;
GRANT INSERT, SELECT ON praetor.deliveries TO praetor_archive;
-- filled by views of decisions; older servers check the one who inserts
GRANT INSERT, SELECT ON praetor.leaves TO praetor_archive;
GRANT INSERT, SELECT ON praetor.actions_by_minute TO praetor_archive;
GRANT INSERT, SELECT ON praetor.actions_by_hour TO praetor_archive;
GRANT INSERT, SELECT ON praetor.actions_by_day TO praetor_archive;
GRANT INSERT, SELECT ON praetor.rules_by_hour TO praetor_archive;
GRANT INSERT, SELECT ON praetor.delays_by_hour TO praetor_archive;
-- to see that the tables are those of its version
GRANT SELECT ON praetor.migrations TO praetor_archive;
-- a database that was restored says so in this table until `praetor db rewind`; only there it exists
GRANT SELECT ON praetor.restored_from TO praetor_archive;
GRANT SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_archive;

-- Analysts (`praetor query`, also `--named`; Grafana): read everything, and nothing else. The profile keeps a query from
-- taking the server from the archive; its limits are for you to choose.
CREATE ROLE IF NOT EXISTS praetor_analyst;
GRANT SELECT, SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_analyst;
CREATE SETTINGS PROFILE IF NOT EXISTS praetor_analyst
    SETTINGS readonly = 2, max_execution_time = 60 MAX 600, max_memory_usage = 4000000000 MAX 8000000000
    TO praetor_analyst;

-- Auditors (`praetor ledger verify --from clickhouse`, `praetor reconcile`): read what proves the ledger.
CREATE ROLE IF NOT EXISTS praetor_auditor;
-- the records; reconcile: what was judged
GRANT SELECT ON praetor.decisions TO praetor_auditor;
-- the ledger's leaves, which stay when a record's time is over
GRANT SELECT ON praetor.leaves TO praetor_auditor;
-- its signed ends
GRANT SELECT ON praetor.checkpoints TO praetor_auditor;
-- reconcile: what did not decode
GRANT SELECT ON praetor.dead_letters TO praetor_auditor;
-- rejudge: what was remembered of an agent
GRANT SELECT ON praetor.snapshots TO praetor_auditor;
-- reconcile: whether the sums are what the decisions say
GRANT SELECT ON praetor.actions_by_minute TO praetor_auditor;
GRANT SELECT ON praetor.actions_by_hour TO praetor_auditor;
GRANT SELECT ON praetor.actions_by_day TO praetor_auditor;
GRANT SELECT ON praetor.rules_by_hour TO praetor_auditor;
GRANT SELECT ON praetor.delays_by_hour TO praetor_auditor;
-- to see that the tables are those of its version
GRANT SELECT ON praetor.migrations TO praetor_auditor;
-- to see how long a record is kept
GRANT SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_auditor;

-- The doctor (`praetor doctor`): looks whether the tables are there, and how much is archived.
CREATE ROLE IF NOT EXISTS praetor_doctor;
GRANT SELECT ON praetor.migrations TO praetor_doctor;
GRANT SELECT ON praetor.leaves TO praetor_doctor;
-- room on the server's disks
GRANT SELECT ON system.disks TO praetor_doctor;
GRANT SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_doctor;

-- Backups (`praetor backup`): every row of every table, also of tables of your own in the database, and how
-- each was made.
CREATE ROLE IF NOT EXISTS praetor_backup;
GRANT SELECT, SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_backup;

-- After a restore (`praetor db rewind`): tells the archive where to go on. Rows are only read.
CREATE ROLE IF NOT EXISTS praetor_rewind;
-- how far each of them goes
GRANT SELECT ON praetor.decisions TO praetor_rewind;
GRANT SELECT ON praetor.leaves TO praetor_rewind;
GRANT SELECT ON praetor.threats TO praetor_rewind;
GRANT SELECT ON praetor.dead_letters TO praetor_rewind;
GRANT SELECT ON praetor.checkpoints TO praetor_rewind;
GRANT SELECT ON praetor.snapshots TO praetor_rewind;
GRANT SELECT ON praetor.incidents TO praetor_rewind;
GRANT SELECT ON praetor.deliveries TO praetor_rewind;
-- to see that the tables are those of its version
GRANT SELECT ON praetor.migrations TO praetor_rewind;
-- to see that the restore is finished, and to take the mark away that stops the archive
GRANT SELECT, DROP TABLE ON praetor.restored_from TO praetor_rewind;
GRANT SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_rewind;

-- The administrator (`praetor db migrate`, `praetor restore`): makes and changes the tables. Nobody works as
-- this one day by day: it can delete.
CREATE ROLE IF NOT EXISTS praetor_admin;
-- migrate, restore: the database, its tables, the views that fill one table from another
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW ON praetor.* TO praetor_admin;
-- migrate: later columns, the comments on them
GRANT ALTER TABLE, ALTER VIEW ON praetor.* TO praetor_admin;
-- restore: what an attempt that was cut off has left, and the mark that stops the archive
GRANT DROP TABLE, DROP VIEW, TRUNCATE ON praetor.* TO praetor_admin;
-- migrate: which were applied; restore: the rows, counted and verified; a view's maker needs both
GRANT INSERT, SELECT ON praetor.* TO praetor_admin;
-- restore: rows whose time is over stay until all are counted
GRANT SYSTEM MERGES, SYSTEM TTL MERGES ON praetor.* TO praetor_admin;
GRANT SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_admin;

-- Users: replace the passwords, or name the subject of a client certificate.
--
-- CREATE USER praetor_archive_1 IDENTIFIED WITH sha256_password BY '...' DEFAULT ROLE praetor_archive;
-- CREATE USER ann IDENTIFIED WITH ssl_certificate CN 'ann' DEFAULT ROLE praetor_analyst;
-- GRANT praetor_archive TO praetor_archive_1;
-- GRANT praetor_analyst TO ann;
