#include "kernels/bench/library_plan.hpp"

#include <dlfcn.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/kernel.hpp"

#if __has_include(<cudnn_graph.h>)
#include <cudnn_graph.h>

namespace strata {

namespace {

// The calls that are needed, found at run time.
struct Cudnn {
    Cudnn() {
        void* const library = dlopen("libcudnn.so.9", RTLD_NOW);
        if (!library) throw NotApplicable("cuDNN is not installed (libcudnn.so.9)");
        const auto find = [library](auto& function, const char* name) {
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
            if (!function) throw NotApplicable(std::string("libcudnn.so.9 has no ") + name);
        };
        find(version, "cudnnGetVersion");
        find(create_handle, "cudnnCreate");
        find(destroy_handle, "cudnnDestroy");
        find(set_stream, "cudnnSetStream");
        find(last_error, "cudnnGetLastErrorString");
        find(create, "cudnnBackendCreateDescriptor");
        find(destroy, "cudnnBackendDestroyDescriptor");
        find(set, "cudnnBackendSetAttribute");
        find(get, "cudnnBackendGetAttribute");
        find(finalise, "cudnnBackendFinalize");
        find(execute, "cudnnBackendExecute");
    }
    // Loaded once; a failure is said again at the next call.
    static const Cudnn& loaded() {
        static const Cudnn cudnn;
        return cudnn;
    }
    std::string reason() const {
        std::array<char, 1024> text{};
        last_error(text.data(), text.size());
        std::string first(text.data());  // of the causes that it lists
        return first.substr(0, first.find("\n\n"));
    }
    void check(cudnnStatus_t status, const char* doing) const {
        if (status != CUDNN_STATUS_SUCCESS)
            throw std::runtime_error(std::string(doing) + ": cuDNN status " + std::to_string(int(status)) + ": " +
                                     reason());
    }

    decltype(&cudnnGetVersion) version = nullptr;
    decltype(&cudnnCreate) create_handle = nullptr;
    decltype(&cudnnDestroy) destroy_handle = nullptr;
    decltype(&cudnnSetStream) set_stream = nullptr;
    decltype(&cudnnGetLastErrorString) last_error = nullptr;
    decltype(&cudnnBackendCreateDescriptor) create = nullptr;
    decltype(&cudnnBackendDestroyDescriptor) destroy = nullptr;
    decltype(&cudnnBackendSetAttribute) set = nullptr;
    decltype(&cudnnBackendGetAttribute) get = nullptr;
    decltype(&cudnnBackendFinalize) finalise = nullptr;
    decltype(&cudnnBackendExecute) execute = nullptr;
};

// A descriptor of the backend, owned.
class Descriptor {
public:
    explicit Descriptor(cudnnBackendDescriptorType_t type) {
        Cudnn::loaded().check(Cudnn::loaded().create(type, &raw_), "making a descriptor");
    }
    ~Descriptor() {
        if (raw_) Cudnn::loaded().destroy(raw_);
    }
    Descriptor(Descriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
    Descriptor& operator=(Descriptor&&) = delete;

    template <class T>
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const std::vector<T>& values) {
        Cudnn::loaded().check(Cudnn::loaded().set(raw_, name, type, std::int64_t(values.size()), values.data()),
                              "describing an operation");
        return *this;
    }
    Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& other) {
        return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::vector{other.raw_});
    }
    Descriptor& set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values) {
        return set(name, CUDNN_TYPE_INT64, values);
    }
    Descriptor& finalise(const char* doing) {
        Cudnn::loaded().check(Cudnn::loaded().finalise(raw_), doing);
        return *this;
    }
    bool finalises() { return Cudnn::loaded().finalise(raw_) == CUDNN_STATUS_SUCCESS; }
    cudnnBackendDescriptor_t raw() const { return raw_; }

private:
    cudnnBackendDescriptor_t raw_ = nullptr;
};

// A tensor known by `id`; its dimensions and strides as cuDNN orders them.
Descriptor tensor(std::int64_t id, cudnnDataType_t type, const std::vector<std::int64_t>& dimensions,
                  const std::vector<std::int64_t>& strides, bool by_value = false) {
    Descriptor out(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    out.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {id})
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector{type})
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16})
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, dimensions)
        .set(CUDNN_ATTR_TENSOR_STRIDES, strides);
    if (by_value) {
        const bool yes = true;
        Cudnn::loaded().check(
            Cudnn::loaded().set(out.raw(), CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &yes),
            "describing a number");
    }
    out.finalise("describing a tensor");
    return out;
}

// [batch][row][head][dim] in memory; cuDNN counts batch, head, row, dim.
Descriptor rows_of_heads(std::int64_t id, std::int64_t batch, std::int64_t heads, std::int64_t rows, std::int64_t dim) {
    return tensor(id, CUDNN_DATA_BFLOAT16, {batch, heads, rows, dim}, {rows * heads * dim, dim, heads * dim, 1});
}

// [image][row][column][channel] in memory; cuDNN counts image, channel, row, column.
Descriptor pixels(std::int64_t id, std::int64_t images, std::int64_t channels, std::int64_t rows,
                  std::int64_t columns) {
    return tensor(id, CUDNN_DATA_BFLOAT16, {images, channels, rows, columns},
                  {rows * columns * channels, 1, columns * channels, channels});
}

constexpr std::int64_t kScale = 100;  // id of the number that is handed over by value

Descriptor attention(const AttentionShape& shape) {
    Descriptor out(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
    out.set(CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC,
            rows_of_heads(0, shape.batch, shape.heads, shape.queries, shape.key_dim))
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, rows_of_heads(1, shape.batch, shape.heads, shape.keys, shape.key_dim))
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC,
             rows_of_heads(2, shape.batch, shape.heads, shape.keys, shape.value_dim))
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC,
             rows_of_heads(3, shape.batch, shape.heads, shape.queries, shape.value_dim))
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC,
             tensor(kScale, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, true))
        .finalise("describing attention");
    return out;
}

Descriptor convolution(const ConvolutionShape& shape) {
    Descriptor taps(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    taps.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector{CUDNN_DATA_FLOAT})
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, std::vector{CUDNN_CROSS_CORRELATION})
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2})
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {1, 1})
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {2, 2})
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {1, 1})
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {1, 1})
        .finalise("describing a convolution");
    Descriptor out(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    out.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, taps)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
             pixels(0, shape.images, shape.channels_in, shape.height, shape.width))
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, pixels(1, shape.channels_out, shape.channels_in, 3, 3))
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
             pixels(2, shape.images, shape.channels_out, (shape.height + 1) / 2, (shape.width + 1) / 2))
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, std::vector{1.0f})
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, std::vector{0.0f})
        .finalise("describing a convolution");
    return out;
}

}  // namespace

struct LibraryPlan::Parts {
    cudnnHandle_t handle = nullptr;
    std::unique_ptr<Descriptor> device, plan;
    std::unique_ptr<Buffer<std::uint8_t>> workspace;
    float scale = 1;
    bool takes_scale = false;

    explicit Parts(const std::string& device_json) {
        const Cudnn& cudnn = Cudnn::loaded();
        if (device_json.empty()) {
            cudnn.check(cudnn.create_handle(&handle), "starting cuDNN");
            return;
        }
        device = std::make_unique<Descriptor>(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
        device
            ->set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                  std::vector<char>(device_json.begin(), device_json.end()))
            .finalise("describing a device");
    }
    ~Parts() {
        plan.reset();
        if (handle) Cudnn::loaded().destroy_handle(handle);
    }
    Parts(const Parts&) = delete;

    void on_device(Descriptor& of, cudnnBackendAttributeName_t by_handle, cudnnBackendAttributeName_t by_properties) {
        if (handle)
            of.set(by_handle, CUDNN_TYPE_HANDLE, std::vector{handle});
        else
            of.set(by_properties, *device);
    }

    // The first of the engines that cuDNN's heuristic proposes and that can be made ready.
    void choose(const Descriptor& operation) {
        const Cudnn& cudnn = Cudnn::loaded();
        Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
        if (handle) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, std::vector{handle});
        graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation).finalise("making a graph");
        Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
        heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
            .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, std::vector{CUDNN_HEUR_MODE_A});
        if (device) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *device);
        std::int64_t proposed = 0;
        if (heuristic.finalises())
            cudnn.check(cudnn.get(heuristic.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0,
                                  &proposed, nullptr),
                        "choosing an engine");
        std::vector<Descriptor> engines;
        std::vector<cudnnBackendDescriptor_t> raw;
        for (std::int64_t i = 0; i < proposed; ++i)
            raw.push_back(engines.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).raw());
        if (proposed > 0)
            cudnn.check(cudnn.get(heuristic.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                  proposed, &proposed, raw.data()),
                        "choosing an engine");
        for (std::int64_t i = 0; i < proposed && !plan; ++i) {
            auto candidate = std::make_unique<Descriptor>(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
            on_device(*candidate, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP);
            candidate->set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engines[std::size_t(i)]);
            if (candidate->finalises()) plan = std::move(candidate);
        }
        if (!plan)
            throw NotApplicable("cuDNN " + std::to_string(cudnn.version()) + " has no engine for this shape here (" +
                                std::to_string(proposed) + " proposed): " + cudnn.reason());
        std::int64_t bytes = 0, count = 0;
        cudnn.check(
            cudnn.get(plan->raw(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count, &bytes),
            "asking for a workspace");
        if (handle && bytes > 0) workspace = std::make_unique<Buffer<std::uint8_t>>(std::size_t(bytes));
    }
};

LibraryPlan::LibraryPlan(const AttentionShape& shape, const std::string& device)
    : parts_(std::make_unique<Parts>(device)) {
    parts_->scale = shape.scale;
    parts_->takes_scale = true;
    parts_->choose(attention(shape));
}

LibraryPlan::LibraryPlan(const ConvolutionShape& shape, const std::string& device)
    : parts_(std::make_unique<Parts>(device)) {
    parts_->choose(convolution(shape));
}

LibraryPlan::LibraryPlan(LibraryPlan&&) noexcept = default;
LibraryPlan::~LibraryPlan() = default;

void LibraryPlan::launch(const std::vector<const void*>& tensors, cudaStream_t stream) {
    const Cudnn& cudnn = Cudnn::loaded();
    if (!parts_->handle) throw std::logic_error("a plan for a described device cannot be launched");
    std::vector<std::int64_t> ids;
    std::vector<void*> at;
    for (std::size_t i = 0; i < tensors.size(); ++i)
        ids.push_back(std::int64_t(i)), at.push_back(const_cast<void*>(tensors[i]));
    if (parts_->takes_scale) ids.push_back(kScale), at.push_back(&parts_->scale);
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids)
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, at)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR,
             std::vector<void*>{parts_->workspace ? parts_->workspace->data() : nullptr})
        .finalise("handing over tensors");
    cudnn.check(cudnn.set_stream(parts_->handle, stream), "choosing a stream");
    cudnn.check(cudnn.execute(parts_->handle, parts_->plan->raw(), pack.raw()), "an operation of cuDNN");
}

}  // namespace strata

#else  // cuDNN's headers were not there when this was built

namespace strata {

struct LibraryPlan::Parts {};
LibraryPlan::LibraryPlan(const AttentionShape&, const std::string&) { throw NotApplicable("built without cuDNN"); }
LibraryPlan::LibraryPlan(const ConvolutionShape&, const std::string&) { throw NotApplicable("built without cuDNN"); }
LibraryPlan::LibraryPlan(LibraryPlan&&) noexcept = default;
LibraryPlan::~LibraryPlan() = default;
void LibraryPlan::launch(const std::vector<const void*>&, cudaStream_t) {}

}  // namespace strata

#endif
