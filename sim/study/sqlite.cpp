#include "sim/study/sqlite.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

// Others that write to the same file hold it for milliseconds; a slow disk may take longer.
constexpr int kPatienceMs = 60000;

std::string remedy_of(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL: return "Make room on its disk and run again: what was finished is kept";
        case SQLITE_IOERR:
            return "Look after its disk (full, a quota, or gone) and run again: what was finished is kept";
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM: return "Name a file that can be written with --store";
        case SQLITE_NOTADB: return "It is no store of points: name another file with --store";
        case SQLITE_CORRUPT: return "The file is damaged: move it away and run again";
        case SQLITE_BUSY: return "Another process holds it: end that one, or name another file with --store";
        default: return "";
    }
}

}  // namespace

Database::Database(const std::string& file) : file_(file) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (const int code = sqlite3_open_v2(file.c_str(), &connection_, flags, nullptr); code != SQLITE_OK) {
        const std::string reason = connection_ ? sqlite3_errmsg(connection_) : "out of memory";
        sqlite3_close(connection_);
        throw InputError(fmt::format("{}: {}. {}", file, reason, remedy_of(code)));
    }
    sqlite3_busy_timeout(connection_, kPatienceMs);
}

void Database::fail(int code) const {
    const int system = sqlite3_system_errno(connection_);
    const std::string reason = (code & 0xff) == SQLITE_IOERR && system != 0
                                   ? fmt::format("{} ({})", sqlite3_errmsg(connection_), std::strerror(system))
                                   : sqlite3_errmsg(connection_);
    const std::string remedy = remedy_of(code);
    if (remedy.empty()) throw std::runtime_error(file_ + ": " + reason);
    throw InputError(fmt::format("{}: {}. {}", file_, reason, remedy));
}

int Database::attempt(const std::string& sql) {
    return sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
}

void Database::run(const std::string& sql) {
    if (const int code = attempt(sql); code != SQLITE_OK) fail(code);
}

std::int64_t Database::number(const std::string& sql) {
    Statement statement(*this, sql.c_str());
    return statement.step() ? statement.number(0) : 0;
}

Statement::Statement(Database& database, const char* sql) : database_(database) {
    check(sqlite3_prepare_v3(database.connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr));
}

void Statement::check(int code) const {
    if (code != SQLITE_OK) database_.fail(code);
}

Statement& Statement::start() {
    sqlite3_reset(statement_);  // says again what the last step has said
    sqlite3_clear_bindings(statement_);
    bound_ = 0;
    return *this;
}

Statement& Statement::bind(std::string_view text) {
    check(sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_STATIC));
    return *this;
}

Statement& Statement::bind_blob(const unsigned char* bytes, std::size_t size) {
    check(sqlite3_bind_blob(statement_, ++bound_, bytes, static_cast<int>(size), SQLITE_STATIC));
    return *this;
}

Statement& Statement::bind(std::int64_t number) {
    check(sqlite3_bind_int64(statement_, ++bound_, number));
    return *this;
}

Statement& Statement::bind_null() {
    check(sqlite3_bind_null(statement_, ++bound_));
    return *this;
}

bool Statement::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    sqlite3_reset(statement_);  // a statement that stands holds its lock
    if (code != SQLITE_DONE) database_.fail(code);
    return false;
}

std::string Statement::text(int column) const {
    const unsigned char* const bytes = sqlite3_column_text(statement_, column);
    return bytes ? std::string(reinterpret_cast<const char*>(bytes),
                               static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
                 : std::string();
}

Transaction::~Transaction() {
    if (open_) sqlite3_exec(database_.connection_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
    database_.run("COMMIT");
    open_ = false;
}

}  // namespace strata
