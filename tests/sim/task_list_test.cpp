#include "sim/workload/task_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace strata {
namespace {

Task lasting(double us) {
    Task task;
    task.duration = Seconds(us * 1e-6);
    return task;
}

TEST(TaskList, has_a_task_at_every_place_where_it_is_done) {
    TaskList tasks{lasting(1), lasting(2)};
    tasks.push_back({.task = tasks.place(0).task, .layer = 3, .batch = 1});
    ASSERT_EQ(tasks.size(), 3u);
    EXPECT_EQ(tasks.distinct().size(), 2u);
    EXPECT_EQ(tasks[2].duration, tasks[0].duration);
    EXPECT_EQ(tasks.layer(2), 3);
    EXPECT_EQ(tasks.batch(2), 1);
    EXPECT_EQ(tasks.layer(0), 0);
    tasks.distinct(2).duration = Seconds(5);  // changed at both
    EXPECT_EQ(tasks[0].duration, Seconds(5));
    EXPECT_NE(tasks[1].duration, Seconds(5));
}

TEST(TaskList, is_walked_in_the_order_of_its_places) {
    TaskList tasks{lasting(1), lasting(2)};
    tasks.push_back(tasks.place(0));
    std::vector<double> us;
    for (const Task& task : tasks) us.push_back(std::round(task.duration.si() * 1e6));
    EXPECT_EQ(us, (std::vector<double>{1, 2, 1}));
    const auto longest = std::max_element(tasks.begin(), tasks.end(),
                                          [](const Task& a, const Task& b) { return a.duration < b.duration; });
    EXPECT_EQ(longest - tasks.begin(), 1);
    EXPECT_EQ(tasks.end() - tasks.begin(), 3);
}

TEST(TaskList, can_be_arranged_anew) {
    const TaskList tasks{lasting(1), lasting(2)};
    TaskList other = tasks.unplaced();
    EXPECT_TRUE(other.empty());
    for (const std::size_t i : {1, 0, 1}) other.push_back(tasks.place(i));
    EXPECT_EQ(other.size(), 3u);
    EXPECT_EQ(other[0].duration, tasks[1].duration);
    EXPECT_EQ(other.distinct().size(), 2u);
}

}  // namespace
}  // namespace strata
