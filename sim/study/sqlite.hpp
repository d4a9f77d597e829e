// As much of SQLite as a store needs: statements that are prepared once, and errors as exceptions with the file's name.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace strata {

// Opened for reading and writing, made if it is not there. Throws InputError for what a user can mend: a disk that is
// full, a folder that cannot be written, a file of another kind.
class Database {
public:
    explicit Database(const std::string& file);
    Database(const Database&) = delete;
    ~Database() { sqlite3_close(connection_); }

    void run(const std::string& sql);     // statements without results
    int attempt(const std::string& sql);  // the same, for SQLite's code
    std::int64_t number(const std::string& sql);
    std::int64_t last_row() const { return sqlite3_last_insert_rowid(connection_); }
    bool changed() const { return sqlite3_changes(connection_) > 0; }  // by the last statement
    [[noreturn]] void fail(int code) const;

private:
    friend class Statement;
    friend class Transaction;
    std::string file_;
    sqlite3* connection_ = nullptr;
};

// Bound from the first parameter on, read from the first column on. Texts must outlive the step.
class Statement {
public:
    Statement(Database& database, const char* sql);
    Statement(const Statement&) = delete;
    ~Statement() { sqlite3_finalize(statement_); }

    Statement& start();  // again, with nothing bound
    Statement& bind(std::string_view text);
    Statement& bind_blob(const unsigned char* bytes, std::size_t size);
    Statement& bind(std::int64_t number);
    Statement& bind_null();
    bool step();  // to the next row; false: there is none
    std::string text(int column) const;
    std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
    bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

private:
    void check(int code) const;

    Database& database_;
    sqlite3_stmt* statement_ = nullptr;
    int bound_ = 0;
};

// All or nothing: what is not committed is rolled back. One that only reads takes the file's lock once for all its
// statements.
class Transaction {
public:
    enum class Use { write, read };
    explicit Transaction(Database& database, Use use = Use::write) : database_(database) {
        database_.run(use == Use::write ? "BEGIN IMMEDIATE" : "BEGIN");
    }
    Transaction(const Transaction&) = delete;
    ~Transaction();
    void commit();

private:
    Database& database_;
    bool open_ = true;
};

}  // namespace strata
