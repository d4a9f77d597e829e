#include "sim/study/point_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "hwmodels/file_fingerprint.hpp"
#include "hwmodels/sha256.hpp"
#include "sim/study/model_version.hpp"
#include "sim/study/sqlite.hpp"

namespace strata {

namespace fs = std::filesystem;

namespace {

constexpr int kApplication = 0x53545241;  // "STRA", by which a store is told from other databases
constexpr int kVersion = 1;
constexpr auto kAtMostUnwritten = std::chrono::milliseconds(200);
constexpr std::size_t kAtMostPending = 10000;

constexpr const char* kTables = R"(
CREATE TABLE shape(id INTEGER PRIMARY KEY, study TEXT NOT NULL, engine TEXT NOT NULL, axes TEXT NOT NULL,
                   metrics TEXT NOT NULL, UNIQUE(study, engine, axes, metrics)) STRICT;
CREATE TABLE point(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, status TEXT NOT NULL, reason TEXT,
                   shape INTEGER NOT NULL REFERENCES shape, settings TEXT NOT NULL, numbers TEXT) STRICT;
CREATE TABLE run(point INTEGER PRIMARY KEY REFERENCES point, json TEXT NOT NULL) STRICT;
)";

std::string json_list(const std::vector<std::string>& texts) { return nlohmann::json(texts).dump(); }

std::string settings_text(const Settings& settings) {
    std::vector<std::string> values;
    for (const auto& setting : settings) values.push_back(setting.second);
    return json_list(values);
}

// Digits that read back as the same number. JSON has no infinity: SQLite takes a number beyond all doubles for it.
std::string numbers_text(const std::vector<double>& numbers) {
    std::string text = "[";
    for (const double number : numbers) {
        if (text.size() > 1) text += ',';
        if (std::isnan(number))
            text += "null";
        else if (std::isinf(number))
            text += number > 0 ? "9e999" : "-9e999";
        else
            fmt::format_to(std::back_inserter(text), "{}", number);
    }
    return text + "]";
}

std::vector<double> numbers_from(const std::string& text) {
    std::vector<double> numbers;
    for (const char* at = text.c_str(); *at != '\0' && *at != ']';) {
        ++at;  // "[" or ","
        if (*at == ']') break;
        char* end = nullptr;
        const bool unknown = *at == 'n';
        numbers.push_back(unknown ? std::nan("") : std::strtod(at, &end));
        at = unknown ? at + 4 : end;
    }
    return numbers;
}

PointStatus status_from(const std::string& text) {
    return text == "ok" ? PointStatus::ok : text == "infeasible" ? PointStatus::infeasible : PointStatus::failed;
}

// What statements are prepared on, so first of all. Several processes may want to make the tables of the same new file.
class StoreDatabase : public Database {
public:
    explicit StoreDatabase(const std::string& file) : Database(file) {
        use_journal();
        run("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY");
        Transaction transaction(*this);
        if (number("SELECT count(*) FROM sqlite_schema") == 0) {
            run(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", kApplication, kVersion));
            run(kTables);
        }
        if (number("PRAGMA application_id") != kApplication)
            throw InputError(file, "a store of points, or a file that is not there yet", "another kind of database");
        if (const auto version = number("PRAGMA user_version"); version != kVersion)
            throw InputError(
                file, fmt::format("a store of version {}", kVersion),
                fmt::format("version {}: made by another strata. Name another file with --store", version));
        transaction.commit();
    }

private:
    // While another process switches to it SQLite does not wait as it does elsewhere.
    void use_journal() {
        int code = attempt("PRAGMA journal_mode = WAL");
        for (int tries = 0; (code & 0xff) == SQLITE_BUSY && tries < 500; ++tries) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            code = attempt("PRAGMA journal_mode = WAL");
        }
        if (code != SQLITE_OK) fail(code);
    }
};

}  // namespace

struct PointStore::Connection {
    explicit Connection(const std::string& file) : database(file) {}

    StoreDatabase database;
    Statement find{database, "SELECT id, status, reason, shape, numbers, settings FROM point WHERE key = ?"};
    Statement find_run{database, "SELECT json FROM run WHERE point = ?"};
    Statement add{database,
                  "INSERT INTO point(key, status, reason, shape, settings, numbers) VALUES(?, ?, ?, ?, ?, ?) "
                  "ON CONFLICT(key) DO NOTHING"};
    Statement change{database,
                     "UPDATE point SET status = ?, reason = ?, shape = ?, settings = ?, numbers = ? WHERE id = ?"};
    Statement add_run{database, "INSERT OR REPLACE INTO run(point, json) VALUES(?, ?)"};
    Statement add_shape{database,
                        "INSERT INTO shape(study, engine, axes, metrics) VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING"};
    Statement find_shape{database, "SELECT id FROM shape WHERE study = ? AND engine = ? AND axes = ? AND metrics = ?"};
    Statement shape{database, "SELECT study, engine, axes, metrics FROM shape WHERE id = ?"};
};

PointStore::PointStore(const std::string& file, Use use)
    : file_(file), use_(use), made_(!fs::exists(file)), connection_(std::make_unique<Connection>(file)) {}

PointStore::~PointStore() {
    try {
        write_pending();
        empty_ = empty_ || connection_->database.number("SELECT EXISTS(SELECT 1 FROM point)") == 0;
    } catch (const std::exception&) {  // said already: whoever wants to know flushes
    }
    connection_.reset();
    // SQLite takes its journal away with the last process that has the file open.
    std::error_code none;
    if (made_ && empty_ && !fs::exists(file_ + "-wal", none)) fs::remove(file_, none);
}

std::size_t PointStore::size() {
    flush();
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(connection_->database.number("SELECT count(*) FROM point"));
}

const std::string& PointStore::fingerprint_of(const std::string& file_or_folder) {
    std::string& known = fingerprints_[file_or_folder];
    if (known.empty()) known = sha256_of_files(file_or_folder);
    return known;
}

// Whatever the scenario needs of them. Of kernels the sources too: a record of them counts only beside those that it
// measured.
const std::string& PointStore::inputs_of(const std::string& root) {
    std::string& known = fingerprints_["below " + root];
    if (!known.empty()) return known;
    std::string text = model_version();
    for (const char* folder : {"scenarios/models", "hwmodels/catalog", "sim/cost", "sim/quality", "kernels"})
        text += "\n" + fingerprint_of(root + "/" + folder);
    return known = sha256(text);
}

std::optional<KeptPoint> PointStore::whole(const PointKey& key) {
    if (use_ == Use::renew) return std::nullopt;
    const std::lock_guard lock(mutex_);
    Statement& find = connection_->find.start().bind_blob(key.data(), key.size());
    if (!find.step()) return std::nullopt;
    KeptPoint point{.key = key, .status = status_from(find.text(1)), .reason = find.text(2)};
    const std::int64_t id = find.number(0);
    find.start();
    if (point.status == PointStatus::infeasible) return point;
    if (point.status == PointStatus::failed || !connection_->find_run.start().bind(id).step()) return std::nullopt;
    point.run = connection_->find_run.text(0);
    connection_->find_run.start();
    return point;
}

std::vector<std::optional<KeptPoint>> PointStore::numbers(const std::vector<PointKey>& keys,
                                                          const std::vector<std::string>& metrics) {
    std::vector<std::optional<KeptPoint>> points(keys.size());
    if (use_ == Use::renew) return points;
    const std::lock_guard lock(mutex_);
    const Transaction reading(connection_->database, Transaction::Use::read);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        Statement& find = connection_->find.start().bind_blob(keys[i].data(), keys[i].size());
        if (!find.step()) continue;
        KeptPoint point{.key = keys[i], .status = status_from(find.text(1)), .reason = find.text(2)};
        if (point.status == PointStatus::failed) continue;
        const std::vector<double> kept = numbers_from(find.text(4));
        const std::vector<std::string>& names = shape_of(find.number(3)).metrics;
        bool all = true;
        for (const std::string& metric : metrics) {
            const auto name = std::find(names.begin(), names.end(), metric);
            all = all && (name != names.end() || point.status == PointStatus::infeasible);
            const auto place = static_cast<std::size_t>(name - names.begin());
            point.numbers.push_back(place < kept.size() ? kept[place] : std::nan(""));
        }
        if (all) points[i] = std::move(point);
    }
    connection_->find.start();
    return points;
}

std::int64_t PointStore::id_of(const RowShape& shape) {
    if (const auto known = shapes_.find(shape); known != shapes_.end()) return known->second;
    const std::string axes = json_list(shape.axes), metrics = json_list(shape.metrics);
    for (Statement* statement : {&connection_->add_shape, &connection_->find_shape})
        statement->start().bind(shape.study).bind(shape.engine).bind(axes).bind(metrics).step();
    const std::int64_t id = connection_->find_shape.number(0);
    connection_->find_shape.start();
    return shapes_[shape] = id;
}

const RowShape& PointStore::shape_of(std::int64_t id) {
    if (const auto known = shape_of_.find(id); known != shape_of_.end()) return known->second;
    RowShape shape;
    if (Statement& row = connection_->shape.start().bind(id); row.step()) {
        shape = {.study = row.text(0),
                 .engine = row.text(1),
                 .axes = nlohmann::json::parse(row.text(2)),
                 .metrics = nlohmann::json::parse(row.text(3))};
        row.start();
    }
    return shape_of_[id] = shape;
}

void PointStore::keep(const RowShape& shape, std::vector<KeptPoint> points) {
    if (points.empty()) return;
    const std::lock_guard lock(mutex_);
    points_pending_ += points.size();
    pending_.push_back({shape, std::move(points)});
    const bool due = std::chrono::steady_clock::now() - written_ > kAtMostUnwritten;
    if (due || points_pending_ >= kAtMostPending) write_pending();
}

void PointStore::flush() {
    const std::lock_guard lock(mutex_);
    write_pending();
}

// In one transaction: what a killed process leaves is what it had before.
void PointStore::write_pending() {
    if (pending_.empty()) return;
    try {
        Transaction transaction(connection_->database);
        for (const Batch& batch : pending_)
            for (const KeptPoint& point : batch.points) write(batch.shape, point);
        transaction.commit();
    } catch (...) {
        shapes_.clear();  // some may have been rolled back
        shape_of_.clear();
        throw;
    }
    pending_.clear();
    points_pending_ = 0;
    written_ = std::chrono::steady_clock::now();
}

void PointStore::write(const RowShape& shape, const KeptPoint& point) {
    const std::string settings = settings_text(point.settings), numbers = numbers_text(point.numbers);
    Statement& add =
        connection_->add.start().bind_blob(point.key.data(), point.key.size()).bind(to_string(point.status));
    (point.reason.empty() ? add.bind_null() : add.bind(point.reason)).bind(id_of(shape)).bind(settings);
    (point.numbers.empty() ? add.bind_null() : add.bind(numbers)).step();
    if (!connection_->database.changed()) return write_over(shape, point);
    if (!point.run.empty()) connection_->add_run.start().bind(connection_->database.last_row()).bind(point.run).step();
}

// The point is there already: perhaps with fewer metrics, or with others, or it failed then.
void PointStore::write_over(const RowShape& shape, const KeptPoint& point) {
    Statement& find = connection_->find.start().bind_blob(point.key.data(), point.key.size());
    find.step();
    const std::int64_t id = find.number(0), known_shape = find.number(3);
    const PointStatus known = status_from(find.text(1));
    const std::vector<double> known_numbers = numbers_from(find.text(4));
    find.start();
    if (point.status == PointStatus::failed && known != PointStatus::failed) return;
    RowShape both = shape;
    std::vector<double> numbers = point.numbers;
    if (use_ == Use::share && known == PointStatus::ok && point.status == PointStatus::ok) {
        const std::vector<std::string>& names = shape_of(known_shape).metrics;
        for (std::size_t i = 0; i < std::min(names.size(), known_numbers.size()); ++i) {
            if (std::find(both.metrics.begin(), both.metrics.end(), names[i]) != both.metrics.end()) continue;
            both.metrics.push_back(names[i]);
            numbers.push_back(known_numbers[i]);
        }
    }
    const std::string settings = settings_text(point.settings), text = numbers_text(numbers);
    Statement& change = connection_->change.start().bind(to_string(point.status));
    (point.reason.empty() ? change.bind_null() : change.bind(point.reason)).bind(id_of(both)).bind(settings);
    (numbers.empty() ? change.bind_null() : change.bind(text)).bind(id).step();
    if (!point.run.empty()) connection_->add_run.start().bind(id).bind(point.run).step();
}

void PointStore::keep_within(std::int64_t bytes) {
    flush();
    const std::lock_guard lock(mutex_);
    Database& database = connection_->database;
    const auto used = [&] {
        return (database.number("PRAGMA page_count") - database.number("PRAGMA freelist_count")) *
               database.number("PRAGMA page_size");
    };
    while (used() > bytes && database.number("SELECT count(*) FROM point") > 0) {
        Transaction transaction(database);
        const auto last =
            database.number("SELECT id FROM point ORDER BY id LIMIT 1 OFFSET (SELECT count(*) / 2 FROM point)");
        database.run(fmt::format("DELETE FROM run WHERE point <= {0}; DELETE FROM point WHERE id <= {0};", last));
        transaction.commit();
    }
}

std::size_t PointStore::merge(const std::string& other) {
    const std::size_t before = size();
    PointStore from(other);
    Statement rows(from.connection_->database,
                   "SELECT key, status, reason, shape, settings, numbers, json FROM point LEFT JOIN run ON "
                   "run.point = point.id ORDER BY id");
    while (rows.step()) {
        const RowShape& shape = from.shape_of(rows.number(3));
        KeptPoint point{.status = status_from(rows.text(1)), .reason = rows.text(2), .run = rows.text(6)};
        const std::string key = rows.text(0);
        if (key.size() != point.key.size()) throw InputError(other, "keys of 16 bytes", std::to_string(key.size()));
        std::copy(key.begin(), key.end(), point.key.begin());
        const std::vector<std::string> values = nlohmann::json::parse(rows.text(4));
        for (std::size_t i = 0; i < values.size() && i < shape.axes.size(); ++i)
            point.settings.emplace_back(shape.axes[i], values[i]);
        point.numbers = numbers_from(rows.text(5));
        keep(shape, {std::move(point)});
    }
    return size() - before;
}

}  // namespace strata
