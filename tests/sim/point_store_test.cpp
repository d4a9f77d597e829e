// The store alone: what it keeps, what it refuses, and what is left when writing fails or is cut off.
#include "sim/study/point_store.hpp"

#include <gtest/gtest.h>

#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <limits>
#include <thread>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;
const RowShape kShape{
    .study = "s", .engine = "analytic", .axes = {"workload.batch"}, .metrics = {"decode.tpot_ms", "memory.hbm_gb"}};

PointKey key_of(int number) {
    PointKey key{};
    for (std::size_t i = 0; i < 4; ++i) key[i] = static_cast<unsigned char>(number >> (8 * i));
    return key;
}

KeptPoint point_of(int number, std::vector<double> numbers = {0.1, 3e300}) {
    return {
        .key = key_of(number), .settings = {{"workload.batch", std::to_string(number)}}, .numbers = std::move(numbers)};
}

// What `wrong` throws.
std::string store_refusal(const std::function<void()>& wrong) {
    try {
        wrong();
    } catch (const InputError& error) {
        return error.what();
    }
    return "nothing";
}

// The exit code of `work` in a process of its own; 99: it threw.
int in_child(const std::function<int()>& work) {
    const pid_t child = fork();
    if (child == 0) {
        int code = 99;
        try {
            code = work();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "in the child: %s\n", error.what());
        }
        _exit(code);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(PointStore, gives_numbers_back_to_the_last_bit_also_to_another_process) {
    const ScratchFolder folder;
    const double inf = std::numeric_limits<double>::infinity();
    {
        PointStore store(folder / "s.sqlite");
        store.keep(kShape, {point_of(1, {0.1 + 0.2, std::nextafter(1e-300, 1)}), point_of(2, {std::nan(""), -inf})});
    }
    EXPECT_FALSE(fs::exists(folder / "s.sqlite-wal"));
    PointStore store(folder / "s.sqlite");
    const auto known = store.numbers({key_of(1), key_of(2), key_of(3)}, {"memory.hbm_gb", "decode.tpot_ms"});
    EXPECT_EQ(known[0]->numbers, (std::vector<double>{std::nextafter(1e-300, 1), 0.1 + 0.2}));
    EXPECT_EQ(known[1]->numbers[0], -inf);
    EXPECT_TRUE(std::isnan(known[1]->numbers[1]));
    EXPECT_FALSE(known[2]);
    EXPECT_FALSE(store.whole(key_of(1)));  // only numbers are known
}

TEST(PointStore, adds_to_what_is_known_of_a_point) {
    const ScratchFolder folder;
    PointStore store(folder / "s.sqlite");
    store.keep(kShape, {point_of(1)});
    RowShape other = kShape;
    other.metrics = {"cost.usd", "decode.tpot_ms"};
    EXPECT_FALSE(store.numbers({key_of(1)}, other.metrics)[0]);
    KeptPoint whole = point_of(1, {7, 0.25});
    whole.run = R"({"engine": "analytic"})";
    store.keep(other, {whole});
    store.flush();
    EXPECT_EQ(store.numbers({key_of(1)}, {"memory.hbm_gb", "cost.usd", "decode.tpot_ms"})[0]->numbers,
              (std::vector<double>{3e300, 7, 0.25}));
    EXPECT_EQ(store.whole(key_of(1))->run, whole.run);
    EXPECT_EQ(store.size(), 1u);
}

TEST(PointStore, keeps_failures_but_has_them_tried_again) {
    const ScratchFolder folder;
    PointStore store(folder / "s.sqlite");
    KeptPoint failed{.key = key_of(1), .status = PointStatus::failed, .reason = "crashed"};
    KeptPoint infeasible{.key = key_of(2), .status = PointStatus::infeasible, .reason = "too large"};
    store.keep(kShape, {failed, infeasible});
    store.flush();
    EXPECT_EQ(store.size(), 2u);
    EXPECT_FALSE(store.whole(key_of(1)));
    EXPECT_FALSE(store.numbers({key_of(1)}, {"decode.tpot_ms"})[0]);
    EXPECT_EQ(store.whole(key_of(2))->reason, "too large");
    KeptPoint mended = point_of(1);
    mended.run = "{}";
    store.keep(kShape, {mended});
    store.keep(kShape, {failed});  // by another process, which knows less
    store.flush();
    EXPECT_EQ(store.whole(key_of(1))->run, "{}");
}

TEST(PointStore, renewing_takes_nothing_and_keeps_all) {
    const ScratchFolder folder;
    PointStore(folder / "s.sqlite").keep(kShape, {point_of(1)});
    PointStore(folder / "s.sqlite", PointStore::Use::renew).keep(kShape, {point_of(1, {5, 6})});
    EXPECT_FALSE(PointStore(folder / "s.sqlite", PointStore::Use::renew).numbers({key_of(1)}, kShape.metrics)[0]);
    EXPECT_EQ(PointStore(folder / "s.sqlite").numbers({key_of(1)}, kShape.metrics)[0]->numbers,
              (std::vector<double>{5, 6}));
}

TEST(PointStore, merges_another_and_counts_what_was_new) {
    const ScratchFolder folder;
    PointStore(folder / "a.sqlite").keep(kShape, {point_of(1), point_of(2)});
    KeptPoint whole = point_of(3);
    whole.run = "{}";
    PointStore(folder / "b.sqlite").keep(kShape, {point_of(2), whole});
    PointStore store(folder / "a.sqlite");
    EXPECT_EQ(store.merge(folder / "b.sqlite"), 1u);
    EXPECT_EQ(store.size(), 3u);
    EXPECT_EQ(store.whole(key_of(3))->run, "{}");
}

TEST(PointStore, lets_the_oldest_points_go_where_it_may_not_grow) {
    constexpr std::int64_t kBytes = 1 << 20;
    const ScratchFolder folder;
    const std::string file = folder / "s.sqlite";
    const auto keep_to = [&](int from, int to, std::int64_t within) {
        PointStore store(file);
        for (int i = from; i < to; ++i) {
            KeptPoint point = point_of(i);
            point.run = std::string(2000, 'x');
            store.keep(kShape, {point});
        }
        store.keep_within(within);
        return store.size();
    };
    EXPECT_EQ(keep_to(0, 1000, 3 * kBytes), 1000u);  // there is room
    EXPECT_EQ(keep_to(0, 0, kBytes), 249u);
    {
        PointStore store(file);
        EXPECT_FALSE(store.whole(key_of(750)));
        EXPECT_TRUE(store.whole(key_of(751)));
    }
    const auto before = fs::file_size(file);
    EXPECT_EQ(keep_to(0, 700, 3 * kBytes), 949u);
    EXPECT_EQ(fs::file_size(file), before);
    EXPECT_EQ(keep_to(0, 0, 0), 0u);
}

TEST(PointStore, takes_its_file_away_if_that_stayed_empty_or_is_not_worth_it) {
    const ScratchFolder folder;
    { PointStore empty(folder / "s.sqlite"); }
    EXPECT_FALSE(fs::exists(folder / "s.sqlite"));
    const auto discard = [&] {
        PointStore store(folder / "s.sqlite");
        store.keep(kShape, {point_of(1)});
        store.discard();
    };
    discard();
    EXPECT_FALSE(fs::exists(folder / "s.sqlite"));
    PointStore(folder / "s.sqlite").keep(kShape, {point_of(1)});
    discard();  // another's
    EXPECT_TRUE(fs::exists(folder / "s.sqlite"));
}

TEST(PointStore, refuses_other_databases_and_other_files) {
    const ScratchFolder folder;
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open((folder / "other.sqlite").c_str(), &other), SQLITE_OK);
    sqlite3_exec(other, "CREATE TABLE t(x)", nullptr, nullptr, nullptr);
    sqlite3_close(other);
    EXPECT_NE(store_refusal([&] { PointStore(folder / "other.sqlite"); }).find("found another kind of database"),
              std::string::npos);
    const std::string text = folder.write("text.sqlite", std::string(5000, 'x'));
    EXPECT_NE(store_refusal([&] { PointStore store(text); }).find("It is no store of points"), std::string::npos);
    EXPECT_NE(store_refusal([&] { PointStore(folder / "no/folder.sqlite"); }).find("with --store"), std::string::npos);
}

TEST(PointStore, is_whole_after_its_process_was_killed_while_writing) {
    const ScratchFolder folder;
    for (int round = 0; round < 5; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            PointStore store(folder / "s.sqlite");
            for (int i = 0;; ++i) store.keep(kShape, {point_of(i), point_of(1000000 + i)});
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(60 + 31 * round));
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        PointStore store(folder / "s.sqlite");
        // A batch is there or not: as many points of the one kind as of the other.
        const std::size_t size = store.size();
        EXPECT_EQ(size % 2, 0u);
        for (int i = 0; i < static_cast<int>(size / 2); i += 97)
            for (const auto& known : store.numbers({key_of(i), key_of(1000000 + i)}, kShape.metrics))
                ASSERT_TRUE(known) << i;
    }
    EXPECT_GT(PointStore(folder / "s.sqlite").size(), 0u);
}

TEST(PointStore, is_shared_by_processes_that_keep_the_same_points) {
    const ScratchFolder folder;
    std::vector<pid_t> children;
    for (int process = 0; process < 4; ++process) {
        children.push_back(fork());
        if (children.back() != 0) continue;
        {
            PointStore store(folder / "s.sqlite");
            for (int i = 0; i < 3000; ++i) store.keep(kShape, {point_of((i + 700 * process) % 3000)});
        }
        _exit(0);
    }
    for (const pid_t child : children) {
        int status = -1;
        waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(PointStore(folder / "s.sqlite").size(), 3000u);
}

// Fills the disk that `folder` lies on; says what was thrown, then makes room and goes on.
void fill_and_go_on(const std::string& file, const std::function<void()>& make_room) {
    PointStore store(file);
    int kept = 0;
    const std::string why = store_refusal([&] {
        for (; kept < 200000; ++kept) store.keep(kShape, {point_of(kept)});
        store.flush();
    });
    EXPECT_NE(why.find("run again: what was finished is kept"), std::string::npos) << why;
    make_room();
    store.flush();  // what could not be written then
    for (int i = 0; i <= kept && i < 200000; i += 101)
        EXPECT_TRUE(store.numbers({key_of(i)}, kShape.metrics)[0]) << i << " of " << kept;
}

// 3 MB of memory as a disk at `folder`, where that may be mounted.
class SmallDisk {
public:
    explicit SmallDisk(const std::string& folder)
        : folder_(folder), there_(mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=3m") == 0) {}
    SmallDisk(const SmallDisk&) = delete;
    ~SmallDisk() {
        if (there_) umount2(folder_.c_str(), MNT_DETACH);
    }
    bool is_there() const { return there_; }
    void remount(unsigned long flags, const char* size) const {
        EXPECT_EQ(mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT | flags, size), 0);
    }

private:
    std::string folder_;
    bool there_;
};

TEST(PointStore, says_that_a_file_may_not_grow_and_goes_on_when_it_may) {
    const ScratchFolder folder;
    EXPECT_EQ(in_child([&] {
                  signal(SIGXFSZ, SIG_IGN);  // the write is then refused, as by a quota
                  rlimit limit{};
                  getrlimit(RLIMIT_FSIZE, &limit);
                  limit.rlim_cur = 2 << 20;
                  setrlimit(RLIMIT_FSIZE, &limit);
                  fill_and_go_on(folder / "s.sqlite", [&] {
                      limit.rlim_cur = limit.rlim_max;
                      setrlimit(RLIMIT_FSIZE, &limit);
                  });
                  return ::testing::Test::HasFailure() ? 1 : 0;
              }),
              0);
}

TEST(PointStore, says_that_the_disk_is_full_and_goes_on_when_there_is_room) {
    const ScratchFolder folder;
    const SmallDisk disk(folder.path());
    if (!disk.is_there()) GTEST_SKIP() << "a small disk can be mounted by root alone";
    fill_and_go_on(folder / "s.sqlite", [&] { disk.remount(0, "size=60m"); });
}

TEST(PointStore, says_that_its_folder_cannot_be_written) {
    const ScratchFolder folder;
    const SmallDisk disk(folder.path());
    if (!disk.is_there()) GTEST_SKIP() << "a disk that cannot be written can be mounted by root alone";
    PointStore(folder / "s.sqlite").keep(kShape, {point_of(1)});
    disk.remount(MS_RDONLY, "size=3m");
    for (const char* name : {"s.sqlite", "new.sqlite"})
        EXPECT_NE(store_refusal([&] { PointStore store(folder / name); }).find("Name a file that can be written"),
                  std::string::npos)
            << name;
}

}  // namespace
}  // namespace strata
