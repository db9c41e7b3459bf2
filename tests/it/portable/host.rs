//! A host that knows nothing of ridgepole: the JSON of an op, and plain wgpu with an instance, pipelines and buffers of its own.
use ridgepole::wgpu;
use serde_json::Value;
use std::collections::HashMap;

pub struct Host {
    device: wgpu::Device,
    queue: wgpu::Queue,
}

impl Host {
    /// A device with as much as the adapter has, since the JSON may be that of such a one.
    pub fn new() -> Self {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let adapter =
            pollster::block_on(wgpu::util::initialize_adapter_from_env_or_default(&instance, None)).expect("an adapter");
        let features = wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64;
        let descriptor = wgpu::DeviceDescriptor {
            required_features: adapter.features() & features,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).expect("a device");
        Self { device, queue }
    }

    /// Runs an op on what its buffers hold at first, by name, and says what each holds afterwards.
    pub fn run(&self, json: &str, before: &HashMap<String, Vec<u8>>) -> HashMap<String, Vec<u8>> {
        let op: Value = serde_json::from_str(json).expect("JSON");
        let mut buffers = HashMap::new();
        for arg in list(&op["args"]) {
            let (name, size) = (text(&arg["name"]), number(&arg["bytes"]));
            let mut bytes = before[name].clone();
            assert!(bytes.len() as u64 <= size, "{name}");
            bytes.resize(size as usize, 0xff);
            buffers.insert(format!("arg {name}"), self.buffer(wgpu::BufferUsages::STORAGE, &bytes));
        }
        // Whatever scratch holds.
        let scratch = vec![0xff; number(&op["scratch"]) as usize];
        buffers.insert("scratch".into(), self.buffer(wgpu::BufferUsages::STORAGE, &scratch));
        buffers.insert("tables".into(), self.buffer(wgpu::BufferUsages::STORAGE, &words(&op["tables"])));
        let pipelines: Vec<_> = list(&op["pipelines"]).iter().map(|p| self.pipeline(p)).collect();
        let mut encoder = self.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for step in list(&op["steps"]) {
                let (pipeline, layout) = &pipelines[number(&step["pipeline"]) as usize];
                let uniform = self.buffer(wgpu::BufferUsages::UNIFORM, &words(&step["uniform"]));
                let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: uniform.as_entire_binding() }];
                for (i, place) in list(&step["bindings"]).iter().enumerate() {
                    let which = match text(&place["buffer"]) {
                        "arg" => format!("arg {}", text(&place["name"])),
                        other => other.to_string(),
                    };
                    let (buffer, offset) = (&buffers[&which], number(&place["offset"]));
                    let size = std::num::NonZeroU64::new(number(&place["size"]));
                    assert!(size.is_some(), "an empty binding: {place}");
                    let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size });
                    entries.push(wgpu::BindGroupEntry { binding: i as u32 + 1, resource });
                }
                let group = wgpu::BindGroupDescriptor { label: None, layout, entries: &entries };
                pass.set_pipeline(pipeline);
                pass.set_bind_group(0, &self.device.create_bind_group(&group), &[]);
                let grid: Vec<u32> = list(&step["grid"]).iter().map(|n| number(n) as u32).collect();
                pass.dispatch_workgroups(grid[0], grid[1], grid[2]);
            }
        }
        self.queue.submit([encoder.finish()]);
        let name = |arg: &Value| text(&arg["name"]).to_string();
        list(&op["args"]).iter().map(|arg| (name(arg), self.read(&buffers[&format!("arg {}", name(arg))]))).collect()
    }

    fn pipeline(&self, of: &Value) -> (wgpu::ComputePipeline, wgpu::BindGroupLayout) {
        let entry = |(i, binding): (usize, &Value)| wgpu::BindGroupLayoutEntry {
            binding: i as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match text(&binding["access"]) {
                    "uniform" => wgpu::BufferBindingType::Uniform,
                    "read" => wgpu::BufferBindingType::Storage { read_only: true },
                    "read_write" => wgpu::BufferBindingType::Storage { read_only: false },
                    other => panic!("access {other}"),
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let entries: Vec<_> = list(&of["bindings"]).iter().enumerate().map(entry).collect();
        let layout = self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
        let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let source = wgpu::ShaderSource::Wgsl(text(&of["wgsl"]).into());
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
        let constants: Vec<(&str, f64)> =
            of["constants"].as_object().expect("an object").iter().map(|(k, v)| (k.as_str(), number(v) as f64)).collect();
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(text(&of["entry"])),
            compilation_options: wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() },
            cache: None,
        });
        (pipeline, layout)
    }

    fn buffer(&self, usage: wgpu::BufferUsages, bytes: &[u8]) -> wgpu::Buffer {
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes.len().max(16) as u64,
            usage: usage | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue.write_buffer(&buffer, 0, bytes);
        buffer
    }

    fn read(&self, buffer: &wgpu::Buffer) -> Vec<u8> {
        let copy = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: buffer.size(),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &copy, 0, buffer.size());
        self.queue.submit([encoder.finish()]);
        copy.map_async(wgpu::MapMode::Read, .., |done| done.expect("mapped"));
        self.device.poll(wgpu::PollType::wait_indefinitely()).expect("the device works");
        copy.slice(..).get_mapped_range().expect("mapped").to_vec()
    }
}

fn list(of: &Value) -> &[Value] {
    of.as_array().unwrap_or_else(|| panic!("no list: {of}"))
}

fn text(of: &Value) -> &str {
    of.as_str().unwrap_or_else(|| panic!("no text: {of}"))
}

fn number(of: &Value) -> u64 {
    of.as_u64().unwrap_or_else(|| panic!("no number: {of}"))
}

fn words(of: &Value) -> Vec<u8> {
    list(of).iter().flat_map(|n| u32::try_from(number(n)).expect("32 bits").to_le_bytes()).collect()
}
