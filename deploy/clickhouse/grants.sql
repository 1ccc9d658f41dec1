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
-- filled by a view of decisions; older servers check the one who inserts
GRANT INSERT, SELECT ON praetor.leaves TO praetor_archive;
-- to see that the tables are those of its version
GRANT SELECT ON praetor.migrations TO praetor_archive;
GRANT SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_archive;

-- Analysts (`praetor query`, Grafana): read everything, and nothing else. The profile keeps a query from
-- taking the server from the archive; its limits are for you to choose.
CREATE ROLE IF NOT EXISTS praetor_analyst;
GRANT SELECT, SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_analyst;
CREATE SETTINGS PROFILE IF NOT EXISTS praetor_analyst
    SETTINGS readonly = 2, max_execution_time = 60 MAX 600, max_memory_usage = 4000000000 MAX 8000000000
    TO praetor_analyst;

-- Auditors (`praetor ledger verify --from clickhouse`, `praetor reconcile`): read what proves the ledger.
CREATE ROLE IF NOT EXISTS praetor_auditor;
GRANT SELECT ON praetor.decisions TO praetor_auditor;
GRANT SELECT ON praetor.leaves TO praetor_auditor;
GRANT SELECT ON praetor.checkpoints TO praetor_auditor;
GRANT SELECT ON praetor.dead_letters TO praetor_auditor;
GRANT SELECT ON praetor.migrations TO praetor_auditor;
GRANT SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_auditor;

-- The administrator (`praetor db migrate`, backup and restore): makes and changes the tables. Nobody works
-- as this one day by day: it can delete.
CREATE ROLE IF NOT EXISTS praetor_admin;
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, ALTER TABLE, ALTER VIEW, TRUNCATE,
    INSERT, SELECT, SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON praetor.* TO praetor_admin;
GRANT SYSTEM TTL MERGES ON praetor.* TO praetor_admin;

-- Users: replace the passwords, or name the subject of a client certificate.
--
-- CREATE USER praetor_archive_1 IDENTIFIED WITH sha256_password BY '...' DEFAULT ROLE praetor_archive;
-- CREATE USER ann IDENTIFIED WITH ssl_certificate CN 'ann' DEFAULT ROLE praetor_analyst;
-- GRANT praetor_archive TO praetor_archive_1;
-- GRANT praetor_analyst TO ann;
