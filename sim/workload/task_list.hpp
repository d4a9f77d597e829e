// The tasks of a Program in their order. Most layers do what an earlier one does, and all micro-batches the same, so a
// task stands once for all the places at which it is done: a step of sixty layers is some hundred tasks.
#pragma once

#include <boost/iterator/iterator_facade.hpp>

#include <initializer_list>
#include <vector>

#include "sim/workload/task.hpp"

namespace strata {

class TaskList {
public:
    // Where a task is done.
    struct Place {
        std::uint32_t task = 0;  // which one
        int layer = 0;
        int batch = 0;  // micro-batch
    };
    class Iterator : public boost::iterator_facade<Iterator, const Task, boost::random_access_traversal_tag> {
    public:
        Iterator() = default;
        Iterator(const Task* tasks, const Place* at) : tasks_(tasks), at_(at) {}

    private:
        friend class boost::iterator_core_access;
        const Task& dereference() const { return tasks_[at_->task]; }
        bool equal(const Iterator& other) const { return at_ == other.at_; }
        void increment() { ++at_; }
        void decrement() { --at_; }
        void advance(std::ptrdiff_t by) { at_ += by; }
        std::ptrdiff_t distance_to(const Iterator& other) const { return other.at_ - at_; }

        const Task* tasks_ = nullptr;
        const Place* at_ = nullptr;
    };
    using value_type = Task;
    using const_iterator = Iterator;

    TaskList() = default;
    TaskList(std::initializer_list<Task> tasks) {
        for (const Task& task : tasks) push_back(task);
    }
    // With the same tasks to be done, none of which has a place yet.
    TaskList unplaced() const {
        TaskList other;
        other.tasks_ = tasks_;
        return other;
    }

    std::size_t size() const { return places_.size(); }
    bool empty() const { return places_.empty(); }
    void reserve(std::size_t places, std::size_t tasks) {
        places_.reserve(places);
        tasks_.reserve(tasks);
    }

    const Task& operator[](std::size_t i) const { return tasks_[places_[i].task]; }
    const Place& place(std::size_t i) const { return places_[i]; }
    int layer(std::size_t i) const { return places_[i].layer; }
    int batch(std::size_t i) const { return places_[i].batch; }
    Iterator begin() const { return {tasks_.data(), places_.data()}; }
    Iterator end() const { return {tasks_.data(), places_.data() + places_.size()}; }

    // One that is like no other. What is returned is good until the next.
    Task& push_back(const Task& task, int layer = 0) {
        places_.push_back({.task = static_cast<std::uint32_t>(tasks_.size()), .layer = layer});
        return tasks_.emplace_back(task);
    }
    void push_back(const Place& place) { places_.push_back(place); }

    // All that are there, each once; what is changed is so at every place.
    std::vector<Task>& distinct() { return tasks_; }
    Task& distinct(std::size_t i) { return tasks_[places_[i].task]; }

private:
    std::vector<Task> tasks_;
    std::vector<Place> places_;
};

}  // namespace strata
